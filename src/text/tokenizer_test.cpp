// What every family promises: the bytes of any text come back, from several threads at once, and in
// time that does not explode on texts made to be slow.

#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "text/tokenizer_fixture.h"

namespace edgelm::text {
namespace {

using fixture::bpe_spec;
using fixture::make_tokenizer;
using fixture::spm_spec;

std::vector<std::unique_ptr<Tokenizer>> families(const std::vector<const char*>& pres) {
  std::vector<std::unique_ptr<Tokenizer>> all;
  all.push_back(make_tokenizer(spm_spec()).value());
  for (const char* pre : pres) all.push_back(make_tokenizer(bpe_spec(pre)).value());
  return all;
}

std::string random_text(Random& random) {
  constexpr std::string_view kParts[] = {
      "hello", " the", " world", "aaaa", "a", " ",  "  ",         "\n",     "\t\t", "é",
      "好",    "🙂",   "▁",      "'s",   "1", "12", "<|im_end|>", "<tool>", "</s>", "<s>"};
  std::string text;
  const bool any_bytes = random.below(3) == 0;
  for (auto n = random.below(30); n > 0; --n) {
    if (any_bytes && random.below(2) == 0) {
      text += static_cast<char>(random.below(256));
    } else {
      text += kParts[random.below(std::size(kParts))];
    }
  }
  return text;
}

TEST(Tokenizer, AnyBytesComeBack) {
  const auto all =
      families({"gpt-2", "llama-bpe", "qwen2", "falcon", "deepseek-coder", "deepseek-llm", "gpt-4o",
                "tekken", "default", "tiny_aya", "jais-2", "kimi-k2"});
  Random random(7);
  for (int round = 0; round < 400; ++round) {
    const std::string text = random_text(random);
    for (const auto& t : all) {
      for (const bool parse_special : {false, true}) {
        const auto ids =
            t->encode(text, {.add_special = false, .parse_special = parse_special}).value();
        ASSERT_EQ(t->decode(ids, parse_special), text) << "seed 7, round " << round;
        for (const TokenId id : ids) {
          std::string piece;
          t->append_piece(id, false, true, piece);
          ASSERT_LE(piece.size(), t->longest_piece_bytes());
          ASSERT_TRUE(parse_special || t->type(id) != TokenType::kControl);
        }
      }
    }
  }
}

TEST(Tokenizer, IdsOutsideTheVocabularyPrintNothing) {
  const auto t = make_tokenizer(spm_spec()).value();
  const std::vector<TokenId> ids = {-1, 1 << 30, static_cast<TokenId>(t->size())};
  EXPECT_EQ(t->decode(ids, true), "");
  EXPECT_EQ(t->raw_piece(-1), "");
}

TEST(Tokenizer, SlowTextsAreNotSlow) {
  // They take some 20 ms each; quadratic work would take minutes.
  constexpr auto kBound = std::chrono::seconds(5);
  constexpr std::size_t kBytes = 1U << 17;
  const auto repeated = [](std::string_view unit) {
    std::string text;
    while (text.size() < kBytes) text += unit;
    return text;
  };
  std::vector<std::string> texts;
  for (const char* unit : {"a", " ", "\n", "A", "1", "'", "!", "好", "\u0301", " \n", "<|", "\xFF"})
    texts.push_back(repeated(unit));
  texts.push_back(repeated(" ") + "x");
  texts.push_back(repeated("1") + "x");
  texts.push_back(repeated("a b "));
  std::string noise(kBytes, '\0');
  Random random(3);
  for (char& c : noise) c = static_cast<char>(random.below(256));
  texts.push_back(noise);
  for (const auto& t : families({"llama-bpe", "falcon", "deepseek-llm", "gpt-4o", "tiny_aya"})) {
    for (const std::string& text : texts) {
      const auto start = std::chrono::steady_clock::now();
      const auto ids = t->encode(text, {.add_special = false, .parse_special = true});
      ASSERT_TRUE(ids.has_value()) << ids.error().message;
      EXPECT_LT(std::chrono::steady_clock::now() - start, kBound) << text.substr(0, 8);
      ASSERT_EQ(t->decode(*ids, true), text) << text.substr(0, 8);
    }
  }
}

TEST(Tokenizer, SeveralThreadsAtOnce) {
  const auto t = make_tokenizer(bpe_spec("llama-bpe")).value();
  const std::string text = "hello the world, aaaa 123's\n\n  é \xFF end";
  const auto expected = t->encode(text, {}).value();
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round)
        wrong[i] += t->encode(text, {}).value() == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace edgelm::text
