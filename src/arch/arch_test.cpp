// Headers that disagree with their tensors are refused with a message that names both.

#include "arch/arch.h"

#include <gtest/gtest.h>

#include "plan/cost.h"
#include "support/tiny_model.h"

namespace edgelm::arch {
namespace {

// The message describe() gives for this model; "" when it is accepted.
std::string refusal(const test::TinyModel& spec) {
  const std::string bytes = spec.bytes();
  const auto file = formats::GgufFile::parse(as_byte_span(bytes), "m.gguf");
  if (!file) return "reader: " + file.error().message;
  const auto description = describe(*file);
  return description ? std::string() : description.error().message;
}

void expect_refusal(const test::TinyModel& spec, std::initializer_list<const char*> parts) {
  const std::string message = refusal(spec);
  for (const char* part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' not in: " << message;
}

TEST(Arch, AcceptsTheTinyModelAndCountsIt) {
  const std::string bytes = test::TinyModel{.n_layers = 2}.bytes();
  const auto file = formats::GgufFile::parse(as_byte_span(bytes), "m.gguf");
  ASSERT_TRUE(file) << file.error().message;
  const auto description = describe(*file);
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_EQ(description->hparams.n_layers, 2U);
  EXPECT_EQ(description->hparams.k_dim, 8U);
  const std::uint64_t layer = 32 + 32 * 32 * 2 + 32 * 16 * 2 + 32 + 32 * 48 * 3;
  const std::uint64_t table = 32 * 259;
  EXPECT_EQ(plan::parameters(description->plan), 2 * layer + table + 32);
  // The tied table is read whole as the head, and one row of it as the embedding.
  EXPECT_EQ(plan::decode_weight_bytes(description->plan), 4 * (2 * (layer - 64) + table + 32));
  // Two layers of 2 KV heads, 8 + 8 elements of f16.
  EXPECT_EQ(plan::kv_block_bytes(description->plan, 32), 2U * 2 * 16 * 32 * 2);
}

TEST(Arch, UnknownArchitectureListsTheKnownOnes) {
  expect_refusal({.architecture = "mamba"}, {"m.gguf", "'mamba'", "llama, qwen2, qwen3"});
}

TEST(Arch, MissingTensorIsNamedWithItsShape) {
  expect_refusal({.leave_out = {"blk.0.attn_k.weight"}},
                 {"'blk.0.attn_k.weight'", "missing", "32x16"});
  expect_refusal({.leave_out = {"output_norm.weight"}}, {"'output_norm.weight'"});
  expect_refusal({.leave_out = {"token_embd.weight"}}, {"'token_embd.weight'"});
}

TEST(Arch, WrongHeaderValuesAreNamed) {
  const auto with = [](const char* key, auto value) {
    test::TinyModel spec;
    spec.change = [key, value](formats::GgufWriter& writer) { writer.set(key, value); };
    return spec;
  };
  expect_refusal(with("llama.embedding_length", std::uint32_t{64}), {"32", "64"});
  expect_refusal(with("llama.block_count", std::uint32_t{2}), {"blk.1."});
  expect_refusal(with("llama.block_count", std::uint32_t{0}), {"block_count", "0"});
  expect_refusal(with("llama.block_count", std::uint32_t{4000000000}), {"block_count"});
  expect_refusal(with("llama.attention.head_count_kv", std::uint32_t{3}), {"4 query heads for 3"});
  expect_refusal(with("llama.attention.head_count", std::uint32_t{0}), {"head_count"});
  expect_refusal(with("llama.attention.key_length", std::uint32_t{1024}), {"key_length", "512"});
  expect_refusal(with("llama.attention.layer_norm_rms_epsilon", -1.0F), {"epsilon"});
  expect_refusal(with("llama.rope.dimension_count", std::uint32_t{7}), {"even"});
  expect_refusal(with("llama.rope.dimension_count", std::uint32_t{9}), {"dimension_count", "8"});
  expect_refusal(with("llama.rope.scaling.type", "yarn"), {"yarn", "not supported"});
  expect_refusal(with("llama.expert_count", std::uint32_t{8}), {"experts"});
  expect_refusal(with("llama.embedding_length", "wide"), {"embedding_length"});
  expect_refusal(with("llama.rope.freq_base", 0.0F), {"freq_base"});
}

TEST(Arch, VocabularyMustMatchTheEmbedding) {
  test::TinyModel spec;
  spec.change = [](formats::GgufWriter& writer) {
    writer.set_array("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b"});
  };
  expect_refusal(spec, {"2 tokens", "259"});
}

TEST(Arch, PerLayerValuesMustCountTheLayers) {
  test::TinyModel spec;
  spec.n_layers = 2;
  spec.change = [](formats::GgufWriter& writer) {
    writer.set_array("llama.feed_forward_length", std::vector<std::uint32_t>{48, 48, 48});
  };
  expect_refusal(spec, {"feed_forward_length", "3", "2"});
  spec.change = [](formats::GgufWriter& writer) {
    writer.set_array("llama.feed_forward_length", std::vector<std::uint32_t>{48, 48});
  };
  EXPECT_EQ(refusal(spec), "");
}

TEST(Arch, Qwen3NeedsItsNorms) {
  expect_refusal({.architecture = "qwen3"}, {"attn_q_norm.weight"});
  EXPECT_EQ(refusal({.architecture = "qwen2"}), "");
}

}  // namespace
}  // namespace edgelm::arch
