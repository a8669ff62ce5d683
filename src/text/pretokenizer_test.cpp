// Pre-tokenizers: every name compiles and covers any text; words of the families by hand from their
// patterns.

#include "text/pretokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "text/pretokenizer_patterns.h"
#include "text/unicode.h"

namespace edgelm::text {
namespace {

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  const std::string list = pre_tokenizer_names();
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find(", ", at), list.size());
    names.push_back(list.substr(at, end - at));
    at = end + 2;
  }
  return names;
}

// The words joined by '|'.
std::string words(const std::string& name, std::string_view text) {
  const auto pre_tokenizer = PreTokenizer::create(name);
  if (!pre_tokenizer) return pre_tokenizer.error().message;
  std::vector<std::size_t> ends;
  if (auto status = pre_tokenizer->split(text, ends); !status) return status.error().message;
  std::string out;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    if (begin > 0) out += '|';
    out += text.substr(begin, end - begin);
    begin = end;
  }
  return out;
}

TEST(PreTokenizer, Gpt2) {
  EXPECT_EQ(words("gpt-2", "Hello, world's  end"), "Hello|,| world|'s| | end");
  EXPECT_EQ(words("gpt-2", "it'S 12345"), "it|'|S| 12345");
  EXPECT_EQ(words("gpt-2", "a\n\n b  \n"), "a|\n\n| b|  \n");
  EXPECT_EQ(words("gpt-2", "a\nb"), "a|\n|b");
}

TEST(PreTokenizer, Digits) {
  EXPECT_EQ(words("starcoder", "in 2024x"), "in| |2|0|2|4|x");
  EXPECT_EQ(words("falcon", "in 20245$!"), "in| |202|45|$!");
  EXPECT_EQ(words("default", "in 20245!"), "in| |202|45|!");
  EXPECT_EQ(words("llama-bpe", "x1234567"), "x|123|456|7");
  EXPECT_EQ(words("qwen2", "x123"), "x|1|2|3");
  EXPECT_EQ(words("superbpe", "x1234567y"), "x|1|234|567|y");
  EXPECT_EQ(words("tiny_aya", "x 1234567 1234y"), "x| |1|234|567| |123|4|y");
  EXPECT_EQ(words("afmoe", "12345"), "12|345");
}

TEST(PreTokenizer, Llama3) {
  EXPECT_EQ(words("llama-bpe", "I'VE (been) here...\n\nYes"), "I|'VE| (|been|)| here|...\n\n|Yes");
  EXPECT_EQ(words("llama-bpe", "a \t\n b   c"), "a| \t\n| b|  | c");
  EXPECT_EQ(words("llama-bpe", "don't\tgo"), "don|'t|\tgo");
}

TEST(PreTokenizer, QwenFamily) {
  EXPECT_EQ(words("qwen2", "d\u0301a"), "d|\u0301a");
  EXPECT_EQ(words("qwen35", "d\u0301a"), "d\u0301a");
  EXPECT_EQ(words("ufakzeka", "Ankara'ya"), "Ankara|'ya");
  EXPECT_EQ(words("seed-coder", "a!\n\nb"), "a|!|\n\n|b");
  EXPECT_EQ(words("exaone-moe", "ab cd!\n\n"), "ab cd|!\n|\n");
}

TEST(PreTokenizer, CasedWords) {
  EXPECT_EQ(words("gpt-4o", "camelCaseXMLDoc isn't a/b/\n"), "camel|Case|XMLDoc| isn't| a|/b|/\n");
  EXPECT_EQ(words("tekken", "aBc'd 12"), "a|Bc|'d| |1|2");
  EXPECT_EQ(words("kimi-k2", "我们 areHere日本"), "我们| are|Here|日本");
}

TEST(PreTokenizer, DeepSeek) {
  EXPECT_EQ(words("deepseek-coder", "if (x1) {\n\n 好的"), "if| (|x|1|)| {|\n|\n| |好的");
  EXPECT_EQ(words("deepseek-llm", "ab 12 好的,  "), "ab| |12| |好的|,|  ");
  EXPECT_EQ(words("deepseek-v3", "x+y 1234 漢字だ .foo"), "x|+y| |123|4| |漢字だ| .|foo");
}

TEST(PreTokenizer, Others) {
  EXPECT_EQ(words("bloom", "a, b (c)"), "a|,| b| (|c|)");
  EXPECT_EQ(words("jais-2", "a       b"), "a|    |  | b");
  EXPECT_EQ(words("chameleon", "<sentinel:12>IMGIMGABZ  a"), "<|sentinel|:|1|2|>|IMGIMGABZ|  |a");
}

TEST(PreTokenizer, SpaceIsUnicodeWhiteSpace) {
  // U+0085 and U+3000 are; U+180E and U+200B are not.
  EXPECT_EQ(words("llama-bpe", "a\u0085\u3000b"), "a|\u0085|\u3000b");
  EXPECT_EQ(words("gpt-2", "a\u180e\u200bb"), "a|\u180e\u200b|b");
}

TEST(PreTokenizer, EveryNameCoversAnyText) {
  const std::vector<std::string> names = all_names();
  EXPECT_GT(names.size(), 80U);
  constexpr std::string_view kParts[] = {
      "a",  "B",      "'s", "'",  " ", "  ", "\n", "\r",     "\t",
      "1",  "٣",      "½",  "é",  "ß", "ǅ",  "ʰ",  "好",     "ひ",
      "가", "\u0301", "!",  ".,", "—", "$",  "🙂", "\u3000", std::string_view("\0", 1)};
  Random random(20240607);
  for (const std::string& name : names) {
    const auto pre_tokenizer = PreTokenizer::create(name);
    ASSERT_TRUE(pre_tokenizer.has_value()) << pre_tokenizer.error().message;
    for (int round = 0; round < 30; ++round) {
      std::string text;
      for (auto n = random.below(40); n > 0; --n) text += kParts[random.below(std::size(kParts))];
      std::vector<std::size_t> ends;
      ASSERT_TRUE(pre_tokenizer->split(text, ends).has_value()) << name;
      std::size_t begin = 0;
      for (const std::size_t end : ends) {
        ASSERT_GT(end, begin) << name;
        ASSERT_EQ(valid_utf8_prefix(text.substr(begin, end - begin)), end - begin) << name;
        begin = end;
      }
      ASSERT_EQ(begin, text.size()) << name;
    }
  }
}

TEST(PreTokenizer, UnknownNamesAreRefusedWithTheKnownOnes) {
  const auto unknown = PreTokenizer::create("no-such-pre");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(unknown.error().message.find("'no-such-pre' is not a known pre-tokenizer; known are "),
            std::string::npos);
  EXPECT_NE(unknown.error().message.find("qwen2"), std::string::npos);
}

}  // namespace
}  // namespace edgelm::text
