// The CPU backend refuses broken batches and plans that do not fit, before anything runs.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "backend/cpu/aligned.h"
#include "backend/cpu/cpu_backend.h"
#include "os/memory.h"
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

TEST(CpuBackend, WideBatchesOfLongContextsTakeNoMemoryBesideThePlan) {
  const EmbedOnly model;
  const auto backend = CpuBackend::create({.decode_threads = 1});
  ASSERT_TRUE(backend);
  const std::uint64_t before = os::current_rss_bytes();
  const auto executor = (*backend)->compile(
      model.plan, {.context_tokens = 1 << 20, .batch_tokens = 4096, .logit_rows = 1});
  ASSERT_TRUE(executor) << executor.error().message;
  EXPECT_LT(os::current_rss_bytes(), before + (100U << 20));
}

TEST(AlignedArray, IsZeroAlsoInUsedMemory) {
  constexpr std::size_t kBytes = 8U << 20;
  // Freed once, memory of this size stays with the process; the second time it is full of ones.
  for (int i = 0; i < 2; ++i) {
    const std::unique_ptr<void, decltype(&std::free)> used(std::malloc(kBytes), &std::free);
    std::memset(used.get(), 0xff, kBytes);
    [[maybe_unused]] const volatile char seen = static_cast<char*>(used.get())[kBytes / 2];
  }
  const AlignedArray<std::uint32_t> array(kBytes / 8);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 64, 0U);
  EXPECT_TRUE(std::all_of(array.data(), array.data() + array.size(),
                          [](std::uint32_t value) { return value == 0; }));
}

TEST(CpuBackend, UnknownIsaAndTooManyThreadsAreUsageErrors) {
  EXPECT_EQ(CpuBackend::create({.isa = "altivec"}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(CpuBackend::create({.decode_threads = 100000}).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace edgelm::backend
