// How a step is cut for the threads, and that the planned scratch is what the kernels ask for.

#include "backend/cpu/attention_work.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace edgelm::backend {
namespace {

plan::Plan with_heads(std::uint32_t n_heads, std::uint32_t n_kv_heads, std::uint32_t dim) {
  plan::Plan plan;
  plan.ops.emplace_back(plan::Attend{0, {n_heads, n_kv_heads, dim, dim}, 1, 0, 0});
  return plan;
}

TEST(AttentionWork, PlannedScratchIsWhatTheKernelsAskFor) {
  for (const std::uint32_t dim : {4U, 64U, 80U, 512U}) {
    for (const std::uint32_t group : {1U, 7U, 200U}) {
      const plan::AttentionScratch scratch = plan::attention_scratch(
          with_heads(2 * group, 2, dim), {.context_tokens = 4096, .batch_tokens = 256});
      EXPECT_EQ(scratch.tile_floats, kernels::attention_scratch_floats(dim, dim, scratch.n_rows));
      EXPECT_EQ(scratch.v_stride, kernels::attention_out_stride(dim));
      EXPECT_EQ(scratch.n_rows, scratch.block_tokens * group);
    }
  }
}

TEST(AttentionWork, EveryTokenIsInOneBlockOfItsSequence) {
  AttentionWork work(with_heads(8, 2, 64),
                     {.context_tokens = 4096, .batch_tokens = 300, .n_threads = 2});
  std::vector<std::int32_t> ids(300, 0);
  std::vector<std::uint32_t> positions(300), sequence_of(300, 1);
  std::iota(positions.begin(), positions.end(), 700U);
  for (std::size_t t = 0; t < 3; ++t) sequence_of[t] = 0;
  for (const std::uint32_t n_threads : {1U, 2U, 64U}) {
    work.plan_step({.ids = ids,
                    .positions = positions,
                    .sequence_of = sequence_of,
                    .sequences = {},
                    .logit_tokens = {}},
                   n_threads);
    std::uint32_t next = 0;
    for (const AttentionWork::QueryBlock& block : work.blocks()) {
      EXPECT_EQ(block.first_token, next);
      next += block.n_tokens;
      EXPECT_EQ(sequence_of[block.first_token], sequence_of[next - 1]);
      EXPECT_EQ(block.n_positions, positions[next - 1] + 1);
    }
    EXPECT_EQ(next, 300U);
  }
}

TEST(AttentionWork, OneTokenOfALongSequenceIsSharedBySpans) {
  AttentionWork work(with_heads(8, 2, 64),
                     {.context_tokens = 4096, .batch_tokens = 1, .n_threads = 2});
  const std::vector<std::int32_t> id(1, 0);
  const std::vector<std::uint32_t> sequence(1, 0);
  for (const std::uint32_t position : {0U, 511U, 512U, 4095U}) {
    const std::vector<std::uint32_t> positions(1, position);
    work.plan_step({.ids = id,
                    .positions = positions,
                    .sequence_of = sequence,
                    .sequences = {},
                    .logit_tokens = {}},
                   2);
    EXPECT_EQ(work.by_span(), position >= 512) << position;
    EXPECT_EQ(work.blocks().front().n_spans, position / 512 + 1);
  }
}

}  // namespace
}  // namespace edgelm::backend
