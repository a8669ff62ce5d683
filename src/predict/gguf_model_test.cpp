// Headers of architectures that this build cannot run, and hostile ones.

#include "predict/gguf_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gguf_builder.h"

namespace edgelm::predict {
namespace {

using formats::GgufFile;
using formats::TypePolicy;
using test::GgufBuilder;
using testing::HasSubstr;

constexpr std::uint32_t kQ4K = 12;
constexpr std::uint32_t kF16 = 1;

Result<Model> read(const GgufBuilder& header, std::uint64_t file_bytes = 0) {
  const auto file = GgufFile::parse(as_byte_span(header.bytes()), "h.gguf", TypePolicy::kHeader);
  if (!file) return fail(file.error());
  return model_of_gguf(*file, "h", file_bytes);
}

std::string error_of(const GgufBuilder& header) {
  const auto model = read(header);
  return model ? "read" : model.error().message;
}

TEST(GgufModel, LatentAttentionAndExperts) {
  GgufBuilder h(4, 11);
  h.string("general.architecture", "deepseek2")
      .u32("deepseek2.block_count", 2)
      .u32("deepseek2.embedding_length", 2048)
      .u32("deepseek2.context_length", 4096)
      .u32("deepseek2.attention.head_count", 16)
      .u32("deepseek2.attention.head_count_kv", 16)
      .u32("deepseek2.attention.kv_lora_rank", 512)
      .u32("deepseek2.rope.dimension_count", 64)
      .u32("deepseek2.expert_count", 64)
      .u32("deepseek2.expert_used_count", 6)
      .u32("deepseek2.feed_forward_length", 10944);
  h.tensor("token_embd.weight", {2048, 1024}, kF16, 0);
  h.tensor("output.weight", {2048, 1024}, kF16, 2048ULL * 1024 * 2);
  h.tensor("blk.0.attn_kv_a_mqa.weight", {2048, 576}, kF16, 2048ULL * 1024 * 4);
  h.tensor("blk.1.ffn_gate_exps.weight", {2048, 1408, 64}, kQ4K, 2048ULL * (1024 * 4 + 576 * 2));
  const auto model = read(h);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->kv_bytes(100, 2), 2ULL * 576 * 100 * 2);
  EXPECT_EQ(model->embedding_bytes(), 2048ULL * 1024 * 2);
  EXPECT_EQ(model->n_vocab, 1024U);
  EXPECT_EQ(model->type, "Q4_K");
  const double experts = 2048.0 * 1408 * 64 * 144 / 256;
  EXPECT_DOUBLE_EQ(model->bytes_per_token(),
                   2048.0 * 1024 * 2 + 2048.0 * 576 * 2 + experts * 6 / 64);
}

TEST(GgufModel, PerLayerHeadsAndWindows) {
  GgufBuilder h(1, 7);
  h.string("general.architecture", "gemma3")
      .u32("gemma3.block_count", 6)
      .u32("gemma3.embedding_length", 256)
      .u32("gemma3.attention.head_count", 4)
      .array("gemma3.attention.head_count_kv", 4, 6);
  for (const std::uint32_t kv : {1U, 1U, 0U, 1U, 1U, 2U}) h.raw(kv);  // the third layer has none
  h.u32("gemma3.attention.sliding_window", 512).u32("gemma3.attention.key_length", 64);
  h.tensor("token_embd.weight", {256, 100}, kF16, 0);
  const auto model = read(h);
  ASSERT_TRUE(model) << model.error().message;
  ASSERT_EQ(model->kv.size(), 5U);
  EXPECT_EQ(model->kv[0].window, 512U);
  EXPECT_EQ(model->kv[4].window, 0U);  // every sixth sees everything
  EXPECT_EQ(model->kv[4].elements, 2U * (64 + 64));
  // Tied: the table is read as the head.
  EXPECT_DOUBLE_EQ(model->bytes_per_token(), 256.0 * 100 * 2);
}

TEST(GgufModel, HostileHeaders) {
  const auto with = [](std::uint32_t layers, std::uint32_t width, std::uint32_t heads) {
    GgufBuilder h(1, 4);
    h.string("general.architecture", "x")
        .u32("x.block_count", layers)
        .u32("x.embedding_length", width)
        .u32("x.attention.head_count", heads)
        .tensor("token_embd.weight", {256, 100}, kF16, 0);
    return h;
  };
  EXPECT_EQ(error_of(with(1, 256, 4)), "read");
  EXPECT_THAT(error_of(with(0, 256, 4)), HasSubstr("'x.block_count' is 0, expected 1 to 4096"));
  EXPECT_THAT(error_of(with(4'000'000'000U, 256, 4)), HasSubstr("expected 1 to 4096"));
  EXPECT_THAT(error_of(with(1, 0, 4)), HasSubstr("embedding_length"));
  EXPECT_THAT(error_of(with(1, 256, 4'000'000'000U)), HasSubstr("head_count"));
  EXPECT_EQ(error_of(with(1, 256, 0)), "read");  // no attention: nothing is cached

  GgufBuilder nothing(0, 1);
  nothing.string("general.architecture", "x");
  EXPECT_THAT(error_of(nothing), HasSubstr("no tensors"));
  GgufBuilder nameless(1, 0);
  nameless.tensor("a", {32, 1}, kF16, 0);
  EXPECT_THAT(error_of(nameless), HasSubstr("general.architecture"));
  GgufBuilder keyless(1, 1);
  keyless.string("general.architecture", "x").tensor("a", {32, 1}, kF16, 0);
  EXPECT_THAT(error_of(keyless), HasSubstr("block_count"));
  GgufBuilder experts(1, 5);
  experts.string("general.architecture", "x")
      .u32("x.block_count", 1)
      .u32("x.embedding_length", 8)
      .u32("x.expert_count", 4)
      .u32("x.expert_used_count", 5)
      .tensor("a", {32, 1}, kF16, 0);
  EXPECT_THAT(error_of(experts), HasSubstr("5 of 4 experts"));
  GgufBuilder overflow(2, 3);
  overflow.string("general.architecture", "x")
      .u32("x.block_count", 1)
      .u32("x.embedding_length", 8)
      .tensor("a", {1ULL << 40, 1ULL << 40}, kF16, 0);
  EXPECT_NE(error_of(overflow), "read");
}

TEST(GgufModel, ATruncatedHeader) {
  GgufBuilder h(1, 4);
  h.string("general.architecture", "x")
      .u32("x.block_count", 1)
      .u32("x.embedding_length", 256)
      .u32("x.attention.head_count", 4)
      .tensor("token_embd.weight", {256, 100}, kF16, 0);
  const std::string whole = h.bytes();
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_FALSE(GgufFile::parse(as_byte_span(whole.substr(0, n)), "h.gguf", TypePolicy::kHeader))
        << n;
}

TEST(GgufModel, TheFirstOfSeveralParts) {
  GgufBuilder h(1, 7);
  h.string("general.architecture", "x")
      .u32("x.block_count", 1)
      .u32("x.embedding_length", 256)
      .u32("x.attention.head_count", 4)
      .u16("split.no", 0)
      .u16("split.count", 3)
      .i32("split.tensors.count", 3)
      .tensor("blk.0.attn_q.weight", {256, 4096}, kF16, 0);
  const auto model = read(h, 10'000'000);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_NEAR(static_cast<double>(model->weight_bytes()), 10e6, 0.05e6);
  ASSERT_EQ(model->notes.size(), 1U);
}

}  // namespace
}  // namespace edgelm::predict
