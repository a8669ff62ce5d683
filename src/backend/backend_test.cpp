// The CPU backend refuses broken batches and plans that do not fit, before anything runs.

#include <gtest/gtest.h>

#include "backend/cpu/cpu_backend.h"
#include "plan/plan.h"

namespace edgelm::backend {
namespace {

// A plan that only embeds: enough for the checks of a batch.
struct EmbedOnly {
  std::vector<float> table = std::vector<float>(16 * 4, 1.0F);
  plan::Plan plan;
  EmbedOnly() {
    plan.weights.push_back({"table",
                            tensor::DType::kF32,
                            {{4, 16, 1, 1}, 2},
                            Bytes(reinterpret_cast<const std::byte*>(table.data()), 16 * 4 * 4)});
    plan.buffers.push_back({"hidden", 4, false});
    plan.ops.emplace_back(plan::Embed{0, 0});
    plan.kv_layers.push_back({1, 4, 4});
    plan.last_layer = 1;
    plan.n_vocab = 16;
  }
};

TEST(CpuBackend, RefusesBatchesThatBreakTheirLimits) {
  const EmbedOnly model;
  const auto backend = CpuBackend::create({.decode_threads = 2, .prefill_threads = 1});
  ASSERT_TRUE(backend) << backend.error().message;
  const auto executor =
      (*backend)->compile(model.plan, {.context_tokens = 64, .batch_tokens = 4, .logit_rows = 1});
  ASSERT_TRUE(executor) << executor.error().message;
  const std::vector<std::uint32_t> blocks = {0, 1}, bad_blocks = {0, 2}, zeros(8, 0);
  const SequenceView good{blocks}, bad{bad_blocks};
  std::vector<std::int32_t> ids = {1, 2, 3};
  std::vector<std::uint32_t> positions = {0, 1, 2};
  const std::vector<std::uint32_t> sequence_of = {0, 0, 0}, logits = {2};
  const auto run = [&](const SequenceView& sequence) {
    return (*executor)->run({ids, positions, sequence_of, {&sequence, 1}, logits});
  };
  EXPECT_TRUE(run(good));
  EXPECT_FALSE(run(bad));
  ids[1] = 16;
  EXPECT_FALSE(run(good));
  ids[1] = -1;
  EXPECT_FALSE(run(good));
  ids[1] = 2;
  positions[2] = 64;
  EXPECT_FALSE(run(good));
  positions = {0, 1};
  EXPECT_FALSE(run(good));
  const std::vector<std::int32_t> many(5, 0);
  EXPECT_FALSE((*executor)->run({many, zeros, zeros, {&good, 1}, {}}));
  EXPECT_FALSE((*executor)->run({{}, {}, {}, {&good, 1}, {}}));
}

TEST(CpuBackend, RefusesAContextBeyondMemory) {
  const EmbedOnly model;
  EmbedOnly huge;
  huge.plan.kv_layers.assign(1000, {1000, 500, 500});
  const auto backend = CpuBackend::create({.decode_threads = 1});
  ASSERT_TRUE(backend);
  const auto executor = (*backend)->compile(
      huge.plan, {.context_tokens = 1 << 24, .batch_tokens = 1, .logit_rows = 1});
  ASSERT_FALSE(executor);
  EXPECT_EQ(executor.error().code, ErrorCode::kMemory);
  EXPECT_NE(executor.error().message.find("-c"), std::string::npos);
}

TEST(CpuBackend, UnknownIsaAndTooManyThreadsAreUsageErrors) {
  EXPECT_EQ(CpuBackend::create({.isa = "altivec"}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(CpuBackend::create({.decode_threads = 100000}).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace edgelm::backend
