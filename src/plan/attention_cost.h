#pragma once
// Scratch memory of attention: what one thread needs for a block of queries, and the partial
// results that threads leave each other when few queries see a long sequence. Part of
// compute_bytes(); the CPU backend allocates by these figures (backend/cpu/attention_work.h).

#include <cstdint>

#include "plan/cost.h"

namespace edgelm::plan {

constexpr std::uint32_t kSpanTokens = 512;  // positions of one partial result
constexpr std::uint32_t kQueryRows = 128;   // queries (heads x tokens) that share converted keys

struct AttentionScratch {
  std::uint32_t block_tokens = 0;  // most tokens of one block of queries
  std::uint32_t n_rows = 0;        // most queries of one block
  std::uint32_t k_dim = 0;         // widest over the layers
  std::uint32_t v_stride = 0;
  std::uint32_t n_heads = 0;
  std::uint64_t tile_floats = 0;  // a kernel's own scratch, for one thread
  std::uint64_t floats_per_thread = 0;
  std::uint64_t shared_token_spans = 0;  // tokens x spans whose partial results may wait at once
  std::uint64_t shared_floats = 0;
};

AttentionScratch attention_scratch(const Plan& plan, const Limits& limits);

}  // namespace edgelm::plan
