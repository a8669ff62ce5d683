// Cutting a step into blocks of queries.

#include "backend/cpu/attention_work.h"

#include <algorithm>

#include "base/checked.h"

namespace edgelm::backend {
namespace {

static_assert(plan::kSpanTokens == kernels::kAttentionSpan);

// Items per thread that even out their different costs.
constexpr std::size_t kItemsPerThread = 4;

}  // namespace

AttentionWork::AttentionWork(const plan::Plan& plan, const plan::Limits& limits)
    : sizes_(plan::attention_scratch(plan, limits)),
      scratch_(limits.n_threads * sizes_.floats_per_thread),
      shared_(sizes_.shared_floats) {
  std::uint32_t fewest = 0xffffffff;
  for (const plan::Op& op : plan.ops)
    if (const auto* attend = std::get_if<plan::Attend>(&op))
      fewest = std::min(fewest, attend->shape.n_kv_heads);
  if (fewest != 0xffffffff) min_kv_heads_ = fewest;
  blocks_.reserve(limits.batch_tokens);
}

void AttentionWork::plan_step(const Batch& batch, std::uint32_t n_threads) {
  blocks_.clear();
  if (sizes_.block_tokens == 0) return;  // a plan without attention
  const std::size_t n_tokens = batch.ids.size();
  const std::size_t wanted = kItemsPerThread * n_threads;
  const std::size_t most =
      std::clamp<std::size_t>(n_tokens * min_kv_heads_ / wanted, 1, sizes_.block_tokens);
  std::size_t token_spans = 0;
  for (std::size_t t = 0; t < n_tokens;) {
    std::size_t end = t + 1;
    while (end < n_tokens && end - t < most && batch.sequence_of[end] == batch.sequence_of[t] &&
           batch.positions[end] == batch.positions[end - 1] + 1)
      ++end;
    QueryBlock& block = blocks_.emplace_back();
    block.first_token = static_cast<std::uint32_t>(t);
    block.n_tokens = static_cast<std::uint32_t>(end - t);
    block.n_positions = batch.positions[end - 1] + 1;
    block.n_spans = ceil_div(block.n_positions, plan::kSpanTokens);
    block.first_token_span = token_spans;
    token_spans += std::size_t{block.n_tokens} * block.n_spans;
    t = end;
  }
  by_span_ = blocks_.size() * min_kv_heads_ < wanted && token_spans > n_tokens &&
             token_spans <= sizes_.shared_token_spans;
}

AttentionWork::Scratch AttentionWork::scratch(std::uint32_t thread) {
  float* at = scratch_.data() + thread * sizes_.floats_per_thread;
  const std::size_t rows = sizes_.n_rows;
  const auto take = [&at](std::size_t n) {
    float* const taken = at;
    at += n;
    return taken;
  };
  Scratch scratch{};
  scratch.q = take(rows * sizes_.k_dim);
  scratch.tile = take(sizes_.tile_floats);
  scratch.span = {take(rows), take(rows), take(rows * sizes_.v_stride)};
  scratch.merged = {take(rows), take(rows), take(rows * sizes_.v_stride)};
  return scratch;
}

kernels::AttentionPartial AttentionWork::shared(const QueryBlock& block, std::size_t kv_head,
                                                std::size_t group, std::size_t span) {
  const std::size_t n_slots = sizes_.shared_token_spans * sizes_.n_heads;
  const std::size_t slot = block.first_token_span * sizes_.n_heads +
                           (kv_head * block.n_spans + span) * block.n_tokens * group;
  float* const all = shared_.data();
  return {all + slot, all + n_slots + slot, all + 2 * n_slots + slot * sizes_.v_stride};
}

}  // namespace edgelm::backend
