// Sizes of attention's scratch memory from the shapes of a plan.

#include "plan/attention_cost.h"

#include <algorithm>

#include "base/checked.h"

namespace edgelm::plan {
namespace {

constexpr std::uint64_t kTile = 64;     // kernels/attention: positions converted at once
constexpr std::uint32_t kPanel = 16;    // and what outputs are padded to
constexpr std::uint64_t kRowState = 9;  // floats a row keeps between tiles, beside its scores

}  // namespace

AttentionScratch attention_scratch(const Plan& plan, const Limits& limits) {
  AttentionScratch scratch;
  std::uint32_t group = 0;
  for (const Op& op : plan.ops) {
    const auto* attend = std::get_if<Attend>(&op);
    if (attend == nullptr) continue;
    group = std::max(group, attend->shape.n_heads / attend->shape.n_kv_heads);
    scratch.k_dim = std::max(scratch.k_dim, attend->shape.k_dim);
    scratch.v_stride = std::max(scratch.v_stride, ceil_div(attend->shape.v_dim, kPanel) * kPanel);
    scratch.n_heads = std::max(scratch.n_heads, attend->shape.n_heads);
  }
  if (group == 0) return scratch;
  scratch.block_tokens = std::clamp(kQueryRows / group, 1U, std::max(limits.batch_tokens, 1U));
  scratch.n_rows = scratch.block_tokens * group;
  const std::uint64_t rows = scratch.n_rows;
  scratch.tile_floats =
      std::max(kTile * scratch.k_dim, (kTile + 1) * scratch.v_stride) + rows * (kTile + kRowState);
  // Scaled queries, the kernel's own, two partial results.
  scratch.floats_per_thread =
      rows * scratch.k_dim + scratch.tile_floats + 2 * rows * (2 + scratch.v_stride);
  // Sequences in decode hold at most the cache together, each with one span begun.
  constexpr std::uint64_t kSequences = 16;
  if (limits.context_tokens > kSpanTokens)
    scratch.shared_token_spans = ceil_div(limits.context_tokens, kSpanTokens) + kSequences;
  scratch.shared_floats =
      scratch.shared_token_spans * scratch.n_heads * (2 + std::uint64_t{scratch.v_stride});
  return scratch;
}

}  // namespace edgelm::plan
