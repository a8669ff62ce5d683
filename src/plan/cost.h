#pragma once
// What a plan costs, computed from its data alone: bytes per part of memory, bytes of weights read
// per token, multiply-adds. Used by `inspect`, the bench and the engine's own memory plan.

#include <cstdint>

#include "plan/plan.h"

namespace edgelm::plan {

struct Limits {
  std::uint32_t context_tokens = 0;    // cached positions over all sequences
  std::uint32_t batch_tokens = 0;      // most tokens of one step
  std::uint32_t logit_rows = 0;        // most tokens of one step whose logits are kept
  std::uint32_t kv_block_tokens = 32;  // positions per KV block
  std::uint32_t n_threads = 1;
};

struct Memory {
  std::uint64_t weights_bytes = 0;  // mapped from the file
  std::uint64_t kv_bytes = 0;
  std::uint64_t compute_bytes = 0;  // activations, int8 copies, attention scores
  [[nodiscard]] std::uint64_t total_bytes() const {
    return weights_bytes + kv_bytes + compute_bytes;
  }
};

// Bytes one KV block takes over all layers of the plan (f16).
std::uint64_t kv_block_bytes(const Plan& plan, std::uint32_t block_tokens);

// float32 activation buffers plus the int8 form of the widest input, per the limits.
std::uint64_t compute_bytes(const Plan& plan, const Limits& limits);

Memory memory(const Plan& plan, const Limits& limits);

// Weight bytes that one decoded token reads: every matrix once, one row of the embedding table.
std::uint64_t decode_weight_bytes(const Plan& plan);

// Elements of all weights (a tied matrix counts once).
std::uint64_t parameters(const Plan& plan);

// Bytes all weights take in the file (a tied matrix counts once).
std::uint64_t weight_bytes(const Plan& plan);

}  // namespace edgelm::plan
