// SentencePiece BPE on a small vocabulary: merges by score, byte fallback, the added space.

#include "text/spm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "text/tokenizer_fixture.h"

namespace edgelm::text {
namespace {

using fixture::make_tokenizer;
using fixture::spm_spec;
using fixture::VocabSpec;
using testing::ElementsAre;

constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};
constexpr EncodeOptions kSpecial{.add_special = false, .parse_special = true};

// The pieces as the file spells them, joined by spaces.
std::string spelled(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options) {
  std::string out;
  const std::vector<TokenId> ids = tokenizer.encode(text, options).value();
  for (const TokenId id : ids) {
    if (!out.empty()) out += ' ';
    out += tokenizer.raw_piece(id);
  }
  return out;
}

TEST(Spm, MergesTheBestScoreFirst) {
  const auto t = make_tokenizer(spm_spec()).value();
  EXPECT_EQ(spelled(*t, "hello world", kPlain), "▁hello ▁world");
  // "he" (2nd) goes before "▁h" (8th), so "▁the" is reached by "▁t" + "he".
  EXPECT_EQ(spelled(*t, "the", kPlain), "▁the");
  EXPECT_EQ(spelled(*t, "other", kPlain), "▁ o t he r");
  // Ties and runs go from the left.
  EXPECT_EQ(spelled(*t, "aaaaaaa", kPlain), "▁a aaaa aa");
}

TEST(Spm, AddsASpaceBeforeTextAndDropsItAgain) {
  const auto t = make_tokenizer(spm_spec()).value();
  EXPECT_EQ(spelled(*t, "", kPlain), "");
  EXPECT_EQ(spelled(*t, "a", kPlain), "▁a");
  EXPECT_EQ(spelled(*t, " a", kPlain), "▁ ▁a");
  for (const std::string text : {"", " ", "  ", "a", " a", "a ", "\n", " \n a"})
    EXPECT_EQ(t->decode(t->encode(text, kPlain).value()), text);
  const std::vector<TokenId> ids = t->encode("a", {}).value();
  EXPECT_EQ(ids.front(), t->special().bos);
  EXPECT_EQ(t->decode(ids), "a");  // BOS opens the text, so the added space is still dropped
}

TEST(Spm, AddsNoSpaceWhereTheFileSaysSo) {
  VocabSpec spec = spm_spec();
  spec.more = [](auto& writer) { writer.set("tokenizer.ggml.add_space_prefix", false); };
  const auto t = make_tokenizer(spec).value();
  EXPECT_EQ(spelled(*t, "a", kPlain), "a");
  EXPECT_EQ(t->decode(t->encode(" a", kPlain).value()), " a");
}

TEST(Spm, FallsBackToBytes) {
  const auto t = make_tokenizer(spm_spec()).value();
  EXPECT_EQ(spelled(*t, "ü", kPlain), "▁ <0xC3> <0xBC>");
  EXPECT_EQ(spelled(*t, "ééé", kPlain), "▁ éé é");
  EXPECT_EQ(spelled(*t, "\xC3", kPlain), "▁ <0xC3>");
  EXPECT_EQ(spelled(*t, std::string_view("\0", 1), kPlain), "▁ <0x00>");
}

TEST(Spm, KeepsU2581ApartFromASpace) {
  const auto t = make_tokenizer(spm_spec()).value();
  EXPECT_EQ(spelled(*t, "▁", kPlain), "▁ <0xE2> <0x96> <0x81>");
  EXPECT_EQ(t->decode(t->encode("▁ ▁", kPlain).value()), "▁ ▁");
}

TEST(Spm, WithoutByteTokensUsesUnk) {
  VocabSpec spec;
  spec.model = "llama";
  spec.add("<unk>", TokenType::kUnknown);
  spec.add("<s>", TokenType::kControl);
  spec.add("</s>", TokenType::kControl);
  spec.add("▁", TokenType::kNormal);
  spec.add("a", TokenType::kNormal);
  const auto t = make_tokenizer(spec).value();
  EXPECT_THAT(t->encode("aüa", kPlain).value(), ElementsAre(3, 4, 0, 4));
  EXPECT_THAT(t->encode("▁", kPlain).value(), ElementsAre(3, 3));
}

TEST(Spm, PlainTextCannotSpellControlTokens) {
  const auto t = make_tokenizer(spm_spec()).value();
  // "</" + "s>" would merge into "</s>" if control tokens took part.
  EXPECT_EQ(spelled(*t, "</s>", kPlain), "▁ </ s>");
  EXPECT_EQ(spelled(*t, "</s>", kSpecial), "</s>");
  EXPECT_EQ(spelled(*t, "a</s>a", kSpecial), "▁a </s> ▁a");
  EXPECT_EQ(t->decode(t->encode("a</s>a", kSpecial).value(), true), "a</s>a");
  EXPECT_EQ(t->decode(t->encode("a</s>a", kSpecial).value(), false), "aa");
}

TEST(Spm, SpaceUserDefinedTokensAreTakenOutOfPlainText) {
  VocabSpec spec = spm_spec();
  const TokenId lines = spec.add("\n\n", TokenType::kUserDefined);
  const TokenId tag = spec.add("<h1>", TokenType::kUserDefined);
  const auto t = make_tokenizer(spec).value();
  EXPECT_THAT(t->encode("\n\n", kPlain).value(), ElementsAre(lines));
  EXPECT_THAT(t->encode("<h1>", kSpecial).value(), ElementsAre(tag));
  EXPECT_THAT(t->encode("<h1>", kPlain).value(), testing::Not(testing::Contains(tag)));
  for (const std::string text : {"a\n\n a", "\n\na\n\n\n", "a<h1> a", " <h1>"}) {
    EXPECT_EQ(t->decode(t->encode(text, kPlain).value(), true), text);
    EXPECT_EQ(t->decode(t->encode(text, kSpecial).value(), true), text);
  }
}

TEST(Spm, ATokenMayCrossASpace) {
  VocabSpec spec = spm_spec();
  spec.add("e▁w", TokenType::kNormal, 100);
  const auto t = make_tokenizer(spec).value();
  EXPECT_EQ(spelled(*t, "the world", kPlain), "▁the ▁world");  // needs "▁w" or "e▁" first
  spec.add("e▁", TokenType::kNormal, 101);
  const auto u = make_tokenizer(spec).value();
  EXPECT_EQ(spelled(*u, "the world", kPlain), "▁t h e▁w or ld");
}

TEST(Spm, ScoresMayBeInfiniteOrMissing) {
  VocabSpec spec = spm_spec();
  spec.scores[300 - 30] = std::numeric_limits<float>::infinity();
  spec.scores[301 - 30] = -std::numeric_limits<float>::infinity();
  const auto t = make_tokenizer(spec).value();
  EXPECT_EQ(t->decode(t->encode("hello world", kPlain).value()), "hello world");
  spec.scores.clear();
  const auto u = make_tokenizer(spec).value();
  EXPECT_EQ(u->decode(u->encode("hello world", kPlain).value()), "hello world");
  spec = spm_spec();
  spec.scores[5] = std::numeric_limits<float>::quiet_NaN();
  const auto bad = make_tokenizer(spec);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().message, "fixture.gguf: tokenizer.ggml.scores[5] is not a number");
}

}  // namespace
}  // namespace edgelm::text
