#pragma once
// What a plan costs, computed from its data alone: bytes per part of memory, bytes of weights read
// per token, multiply-adds. Used by `inspect`, the bench and the engine's own memory plan.

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "plan/plan.h"

namespace edgelm::plan {

// How keys and values are kept. q8_0: int8 with one f16 scale per 32 dims of a head, 53 % of f16.
enum class KvType : std::uint8_t { kF16, kQ8_0 };

std::string_view kv_type_name(KvType type);           // "f16", "q8_0"
Result<KvType> parse_kv_type(std::string_view name);  // kUsage for another name

// kUnsupported when the plan's heads cannot be kept so: q8_0 wants dims that are multiples of 32.
Status check_kv_type(const Plan& plan, KvType type);

// Calls f(weight id) once for every matrix that a token passes through.
template <class F>
void for_each_matrix(const Plan& plan, F f) {
  for (const Op& op : plan.ops) {
    if (const auto* norm_project = std::get_if<NormProject>(&op))
      for (const Projection& projection : norm_project->projections) f(projection.weight);
    if (const auto* project = std::get_if<ProjectAdd>(&op)) f(project->weight);
    if (const auto* ffn = std::get_if<GatedFfn>(&op)) {
      f(ffn->gate);
      f(ffn->up);
    }
  }
}

struct Limits {
  std::uint32_t context_tokens = 0;    // cached positions over all sequences
  std::uint32_t batch_tokens = 0;      // most tokens of one step
  std::uint32_t logit_rows = 0;        // most tokens of one step whose logits are kept
  std::uint32_t kv_block_tokens = 32;  // positions per KV block
  std::uint32_t n_threads = 1;
  KvType kv_type = KvType::kF16;
};

struct Memory {
  std::uint64_t weights_bytes = 0;  // mapped from the file
  std::uint64_t kv_bytes = 0;
  std::uint64_t compute_bytes = 0;  // activations, int8 copies, scratch of attention
  [[nodiscard]] std::uint64_t total_bytes() const {
    return weights_bytes + kv_bytes + compute_bytes;
  }
};

// Bytes one KV block takes over all layers of the plan.
std::uint64_t kv_block_bytes(const Plan& plan, std::uint32_t block_tokens,
                             KvType type = KvType::kF16);

// float32 activation buffers, the int8 form of the widest input, scratch of attention
// (attention_cost.h), per the limits.
std::uint64_t compute_bytes(const Plan& plan, const Limits& limits);

Memory memory(const Plan& plan, const Limits& limits);

// Weight bytes that one decoded token reads: every matrix once, one row of the embedding table.
std::uint64_t decode_weight_bytes(const Plan& plan);

// Elements of all weights (a tied matrix counts once).
std::uint64_t parameters(const Plan& plan);

// Bytes all weights take in the file (a tied matrix counts once).
std::uint64_t weight_bytes(const Plan& plan);

}  // namespace edgelm::plan
