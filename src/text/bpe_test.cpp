// Byte-level BPE on a small vocabulary: merge ranks, whole words, special tokens, bytes that are no
// text.

#include "text/bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/tokenizer_fixture.h"

namespace edgelm::text {
namespace {

using fixture::bpe_spec;
using fixture::make_tokenizer;
using fixture::VocabSpec;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

constexpr EncodeOptions kPlain{.add_special = false, .parse_special = false};
constexpr EncodeOptions kSpecial{.add_special = false, .parse_special = true};

// The decoded pieces, joined by '·'.
std::string pieces(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options) {
  std::string out;
  const std::vector<TokenId> ids = tokenizer.encode(text, options).value();
  for (const TokenId id : ids) {
    if (!out.empty()) out += "·";
    tokenizer.append_piece(id, false, true, out);
  }
  return out;
}

TEST(Bpe, MergesInTheOrderOfTheList) {
  const auto t = make_tokenizer(bpe_spec("gpt-2")).value();
  EXPECT_EQ(pieces(*t, "hello", kPlain), "hello");
  EXPECT_EQ(pieces(*t, " the", kPlain), " the");
  EXPECT_EQ(pieces(*t, "helo the hello's", kPlain), "he·l·o· the· hello·'s");
  EXPECT_EQ(pieces(*t, "aaaaaaa", kPlain), "aaaa·aa·a");
  EXPECT_EQ(pieces(*t, "é", kPlain), "é");
}

TEST(Bpe, LongWordsMergeAsShortOnesDo) {
  const auto t = make_tokenizer(bpe_spec("gpt-2")).value();
  std::string word;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    word += "hellaaahelo";
    expected += "hell·aa·a·he·l·o·";
  }
  EXPECT_EQ(pieces(*t, word, kPlain) + "·", expected);
}

TEST(Bpe, WholeWordsFirstWhereTheNameSaysSo) {
  VocabSpec spec = bpe_spec("llama-bpe");
  const TokenId whole = spec.add("elho", TokenType::kNormal);  // no merge leads to it
  const auto with = make_tokenizer(spec).value();
  EXPECT_THAT(with->encode("elho", kPlain).value(), ElementsAre(whole));
  EXPECT_TRUE(with->special().add_bos);
  spec.pre = "qwen2";
  const auto without = make_tokenizer(spec).value();
  EXPECT_THAT(without->encode("elho", kPlain).value(), ElementsAre('e', 'l', 'h', 'o'));
  EXPECT_FALSE(without->special().add_bos);
}

TEST(Bpe, SpecialTokensOnlyWhereAsked) {
  const auto t = make_tokenizer(bpe_spec("gpt-2")).value();
  EXPECT_EQ(pieces(*t, "a<|im_end|>\na", kSpecial), "a·<|im_end|>·\n·a");
  EXPECT_EQ(pieces(*t, "<tool>a", kSpecial), "<tool>·a");
  const TokenId end = t->special().eot;
  EXPECT_EQ(t->raw_piece(end), "<|im_end|>");
  EXPECT_TRUE(t->ends_generation(end));
  EXPECT_THAT(t->encode("<|im_end|><tool>", kPlain).value(), Not(Contains(end)));
  EXPECT_EQ(pieces(*t, "<tool>", kPlain), "<·t·o·o·l·>");
  // White space that is a token of its own is plain text, not a marker.
  EXPECT_EQ(pieces(*t, "a\t\ta", kPlain), "a·\t\t·a");
}

TEST(Bpe, BosAndEosAsTheFileSays) {
  VocabSpec spec = bpe_spec("gpt-2");
  const auto plain = make_tokenizer(spec).value();
  EXPECT_THAT(plain->encode("a", {}).value(), ElementsAre('a'));
  const auto ids = spec.more;
  spec.more = [ids](auto& writer) {
    ids(writer);
    writer.set("tokenizer.ggml.add_bos_token", true);
    writer.set("tokenizer.ggml.add_eos_token", true);
  };
  const auto both = make_tokenizer(spec).value();
  const TokenId end = both->special().eos;
  EXPECT_THAT(both->encode("a", {}).value(), ElementsAre(end, 'a', end));
  EXPECT_THAT(both->encode("", {}).value(), ElementsAre(end, end));
  EXPECT_THAT(both->encode("a", kPlain).value(), ElementsAre('a'));
}

TEST(Bpe, InvalidUtf8FormsWordsOfItsOwn) {
  const auto t = make_tokenizer(bpe_spec("llama-bpe")).value();
  EXPECT_THAT(t->encode("a\xFF\xC3 a", kPlain).value(), ElementsAre('a', 0xFF, 0xC3, ' ', 'a'));
  for (const std::string text : {"\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80", "é\xC3é", "\x80hello"})
    EXPECT_EQ(t->decode(t->encode(text, kPlain).value()), text);
}

TEST(Bpe, AMissingByteBecomesUnkOrU_FFFD) {
  VocabSpec spec = bpe_spec("gpt-2");
  spec.tokens[0xFF] = "nothing";
  const auto t = make_tokenizer(spec).value();
  EXPECT_EQ(t->decode(t->encode("a\xFFz", kPlain).value()), "a\xEF\xBF\xBDz");
  const auto ids = spec.more;
  spec.more = [ids](auto& writer) {
    ids(writer);
    writer.set("tokenizer.ggml.unknown_token_id", std::uint32_t{7});
  };
  const auto u = make_tokenizer(spec).value();
  EXPECT_THAT(u->encode("a\xFFz", kPlain).value(), ElementsAre('a', 7, 'z'));
}

TEST(Bpe, MergesOfUnknownSymbolsAreSkipped) {
  VocabSpec spec = bpe_spec("gpt-2");
  spec.merges->insert(spec.merges->begin(), {"q qq", "q q", "▁ q", "h e", "h e"});
  const auto t = make_tokenizer(spec).value();
  EXPECT_EQ(pieces(*t, "qqhello", kPlain), "q·q·hello");
}

TEST(Bpe, PlainTextCannotSpellControlTokens) {
  VocabSpec spec = bpe_spec("gpt-2");
  spec.add("<e", TokenType::kNormal);
  const TokenId control = spec.add("<e>", TokenType::kControl);
  const TokenId stop = spec.add("<|end|>", TokenType::kNormal);  // known by its text
  spec.merges->push_back("< e");
  spec.merges->push_back("<e >");
  const auto t = make_tokenizer(spec).value();
  EXPECT_EQ(pieces(*t, "<e>", kPlain), "<·e·>");
  EXPECT_THAT(t->encode("<e>", kSpecial).value(), ElementsAre(control));
  EXPECT_EQ(t->type(stop), TokenType::kControl);
  EXPECT_TRUE(t->ends_generation(stop));
}

TEST(Bpe, RefusesMergesThatAreNone) {
  VocabSpec spec = bpe_spec("gpt-2");
  spec.merges->at(3) = "hello";
  const auto bad = make_tokenizer(spec);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().message,
            "fixture.gguf: tokenizer.ggml.merges[3] is not two symbols with a space between them");
  spec.merges.reset();
  EXPECT_FALSE(make_tokenizer(spec).has_value());
}

}  // namespace
}  // namespace edgelm::text
