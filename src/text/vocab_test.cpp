// Vocabularies as files get them wrong, and what they say about ends of generation.

#include "text/vocab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "text/tokenizer_fixture.h"

namespace edgelm::text {
namespace {

using fixture::bpe_spec;
using fixture::make_tokenizer;
using fixture::spm_spec;
using fixture::VocabSpec;
using testing::HasSubstr;

std::string error_of(const VocabSpec& spec) {
  const auto tokenizer = make_tokenizer(spec);
  return tokenizer ? "no error" : tokenizer.error().message;
}

template <class T>
void set(VocabSpec& spec, const std::string& key, T value) {
  spec.more = [before = spec.more, key, value](formats::GgufWriter& writer) {
    if (before) before(writer);
    writer.set(key, value);
  };
}

TEST(Vocabulary, UnknownFamily) {
  VocabSpec spec = spm_spec();
  spec.model = "t5";
  EXPECT_EQ(error_of(spec),
            "fixture.gguf: tokenizer.ggml.model is 't5', supported are 'llama' and 'gpt2'");
  EXPECT_EQ(make_tokenizer(spec).error().code, ErrorCode::kUnsupported);
}

TEST(Vocabulary, UnknownPreTokenizer) {
  EXPECT_THAT(error_of(bpe_spec("mine")),
              HasSubstr("fixture.gguf: tokenizer.ggml.pre: 'mine' is not a known pre-tokenizer"));
}

TEST(Vocabulary, ArraysMustAgree) {
  VocabSpec spec = spm_spec();
  spec.scores.pop_back();
  EXPECT_THAT(error_of(spec),
              testing::MatchesRegex("fixture.gguf: tokenizer.ggml.scores has [0-9]+ entries, "
                                    "tokenizer.ggml.tokens has [0-9]+"));
  spec = spm_spec();
  spec.types.push_back(1);
  EXPECT_THAT(error_of(spec), HasSubstr("tokenizer.ggml.token_type has"));
  spec = spm_spec();
  spec.types[4] = 7;
  EXPECT_EQ(error_of(spec), "fixture.gguf: tokenizer.ggml.token_type[4] is 7, expected 1 to 6");
  spec.types[4] = -1;
  EXPECT_EQ(error_of(spec), "fixture.gguf: tokenizer.ggml.token_type[4] is -1, expected 1 to 6");
}

TEST(Vocabulary, EmptyIsRefused) {
  VocabSpec spec;
  spec.model = "llama";
  EXPECT_EQ(error_of(spec),
            "fixture.gguf: tokenizer.ggml.tokens has 0 entries, expected 1 to 16777216");
}

TEST(Vocabulary, ByteTokensMustBeWellFormed) {
  VocabSpec spec = spm_spec();
  spec.tokens[10] = "<0xG0>";
  EXPECT_EQ(error_of(spec), "fixture.gguf: token 10 is a byte token, but not written <0xXX>");
}

TEST(Vocabulary, SpecialIdsMustExist) {
  VocabSpec spec = spm_spec();
  set(spec, "tokenizer.ggml.eos_token_id", std::uint32_t{100000});
  EXPECT_THAT(error_of(spec), HasSubstr("tokenizer.ggml.eos_token_id is 100000, but the vocabulary "
                                        "has"));
  spec = spm_spec();
  set(spec, "tokenizer.ggml.bos_token_id", UINT32_MAX);  // how some writers say "none"
  EXPECT_EQ(make_tokenizer(spec).value()->special().bos, kNoToken);
  EXPECT_FALSE(make_tokenizer(spec).value()->special().add_bos);
  set(spec, "tokenizer.ggml.add_bos_token", true);
  EXPECT_THAT(error_of(spec), HasSubstr("add_bos_token is true, but there is no BOS token"));
  spec = spm_spec();
  set(spec, "tokenizer.ggml.padding_token_id", std::uint32_t{100000});  // published files do this
  EXPECT_EQ(make_tokenizer(spec).value()->special().pad, kNoToken);
}

TEST(Vocabulary, KeysOfAnotherKindAreErrors) {
  VocabSpec spec = spm_spec();
  set(spec, "tokenizer.ggml.add_bos_token", "yes");
  EXPECT_THAT(error_of(spec), HasSubstr("add_bos_token"));
  spec = spm_spec();
  set(spec, "tokenizer.ggml.scores", 1.0F);
  spec.scores.clear();
  EXPECT_THAT(error_of(spec), HasSubstr("scores"));
}

TEST(Vocabulary, DuplicatesKeepTheFirst) {
  VocabSpec spec = spm_spec();
  spec.add("▁the", TokenType::kNormal, 5);
  const auto t = make_tokenizer(spec).value();
  const auto ids = t->encode("the", {.add_special = false}).value();
  ASSERT_EQ(ids.size(), 1U);
  EXPECT_LT(ids[0], static_cast<TokenId>(spec.tokens.size() - 1));
}

TEST(Vocabulary, TypesAreInferredWhereTheFileHasNone) {
  VocabSpec spec = spm_spec();
  spec.types.clear();
  const auto t = make_tokenizer(spec).value();
  EXPECT_EQ(t->type(0), TokenType::kUnknown);
  EXPECT_EQ(t->type(1), TokenType::kControl);
  EXPECT_EQ(t->type(3), TokenType::kByte);
  EXPECT_EQ(t->decode(t->encode("ü", {}).value()), "ü");
}

TEST(Vocabulary, EndsOfGeneration) {
  VocabSpec spec = spm_spec();
  const TokenId turn = spec.add("<end_of_turn>", TokenType::kControl);
  const TokenId strike = spec.add("<s/>", TokenType::kNormal);
  const TokenId message = spec.add("my-end", TokenType::kControl);
  set(spec, "tokenizer.ggml.eom_token_id", static_cast<std::uint32_t>(message));
  const auto t = make_tokenizer(spec).value();
  EXPECT_EQ(t->special().eot, turn);
  for (const TokenId id : {TokenId{2}, turn, message}) EXPECT_TRUE(t->ends_generation(id)) << id;
  for (const TokenId id : {TokenId{0}, TokenId{1}, TokenId{50}, strike, TokenId{-1}, 1 << 20})
    EXPECT_FALSE(t->ends_generation(id)) << id;
}

TEST(Vocabulary, HarmonyMessagesDoNotEndATurn) {
  VocabSpec spec = bpe_spec("gpt-4o");
  const TokenId end = spec.add("<|end|>", TokenType::kControl);
  const TokenId done = spec.add("<|return|>", TokenType::kControl);
  EXPECT_TRUE(make_tokenizer(spec).value()->ends_generation(end));
  spec.add("<|call|>", TokenType::kControl);
  EXPECT_FALSE(make_tokenizer(spec).value()->ends_generation(end));
  EXPECT_TRUE(make_tokenizer(spec).value()->ends_generation(done));
}

TEST(Vocabulary, Phi3DropsSpaceAfterMarkers) {
  VocabSpec spec = spm_spec();
  spec.add("<|user|>", TokenType::kControl);
  const EncodeOptions special{.add_special = false, .parse_special = true};
  const auto kept = make_tokenizer(spec).value()->encode("<|user|>\n\n", special).value();
  EXPECT_EQ(kept.size(), 4U);  // marker, added space, two line ends
  set(spec, "general.name", "Phi-3 mini");
  const auto dropped = make_tokenizer(spec).value()->encode("<|user|>\n\n", special).value();
  EXPECT_EQ(dropped.size(), 1U);
}

}  // namespace
}  // namespace edgelm::text
