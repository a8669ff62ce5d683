// Sums over the operations and buffers of a plan.

#include "plan/cost.h"

#include <algorithm>
#include <set>

#include "base/checked.h"
#include "plan/attention_cost.h"

namespace edgelm::plan {
namespace {

constexpr std::uint32_t kKvGroup = 32;  // dims that share a scale in q8_0

// Tied weights are two entries of the same bytes: each address once.
template <class F>
std::uint64_t sum_distinct(const Plan& plan, F value) {
  std::set<const void*> seen;
  std::uint64_t sum = 0;
  for (const tensor::TensorView& weight : plan.weights)
    if (seen.insert(weight.data.data()).second) sum += value(weight);
  return sum;
}

}  // namespace

std::string_view kv_type_name(KvType type) { return type == KvType::kF16 ? "f16" : "q8_0"; }

Result<KvType> parse_kv_type(std::string_view name) {
  for (const KvType type : {KvType::kF16, KvType::kQ8_0})
    if (name == kv_type_name(type)) return type;
  return fail(ErrorCode::kUsage, "KV type '{}' is unknown, expected f16 or q8_0", name);
}

Status check_kv_type(const Plan& plan, KvType type) {
  if (type == KvType::kF16) return {};
  for (std::size_t layer = 0; layer < plan.kv_layers.size(); ++layer) {
    const KvLayer& kv = plan.kv_layers[layer];
    if (kv.k_dim % kKvGroup != 0 || kv.v_dim % kKvGroup != 0)
      return fail(ErrorCode::kUnsupported,
                  "layer {}: heads of {} key and {} value dims cannot be cached as q8_0, which "
                  "wants multiples of {}; use f16",
                  plan.first_layer + layer, kv.k_dim, kv.v_dim, kKvGroup);
  }
  return {};
}

std::uint64_t kv_block_bytes(const Plan& plan, std::uint32_t block_tokens, KvType type) {
  std::uint64_t elements = 0;
  for (const KvLayer& layer : plan.kv_layers)
    elements += std::uint64_t{layer.n_kv_heads} * (layer.k_dim + layer.v_dim);
  elements *= block_tokens;
  if (type == KvType::kF16) return elements * sizeof(std::uint16_t);
  return elements + elements / kKvGroup * sizeof(std::uint16_t);
}

std::uint64_t compute_bytes(const Plan& plan, const Limits& limits) {
  std::uint64_t bytes = 0;
  for (const Buffer& buffer : plan.buffers) {
    const std::uint64_t rows = buffer.per_logit_row ? limits.logit_rows : limits.batch_tokens;
    bytes += rows * buffer.width * sizeof(float);
  }
  // The input of a matrix product: normalised float32, its int8 and int16 forms, and per 32 columns
  // two floats and four int16 (kernels::Activations); a row per thread at least.
  std::uint64_t widest = 0;
  for_each_matrix(plan,
                  [&](WeightId id) { widest = std::max(widest, plan.weights[id].shape.cols()); });
  const std::uint64_t padded = ceil_div<std::uint64_t>(widest, 64) * 64;
  const std::uint64_t rows = std::max(limits.batch_tokens, limits.n_threads);
  bytes += rows * (padded * sizeof(float) + 3 * padded + padded / 32 * 16);
  const AttentionScratch attention = attention_scratch(plan, limits);
  return bytes +
         (limits.n_threads * attention.floats_per_thread + attention.shared_floats) * sizeof(float);
}

Memory memory(const Plan& plan, const Limits& limits) {
  const std::uint64_t blocks =
      ceil_div<std::uint64_t>(limits.context_tokens, limits.kv_block_tokens);
  return {.weights_bytes = weight_bytes(plan),
          .kv_bytes = blocks * kv_block_bytes(plan, limits.kv_block_tokens, limits.kv_type),
          .compute_bytes = compute_bytes(plan, limits)};
}

std::uint64_t decode_weight_bytes(const Plan& plan) {
  std::uint64_t bytes = 0;
  for_each_matrix(plan, [&](WeightId id) { bytes += plan.weights[id].data.size(); });
  for (const Op& op : plan.ops)
    if (const auto* embed = std::get_if<Embed>(&op))
      bytes += plan.weights[embed->table].row_bytes();
  return bytes;
}

std::uint64_t parameters(const Plan& plan) {
  return sum_distinct(plan, [](const tensor::TensorView& w) { return w.shape.elements(); });
}

std::uint64_t weight_bytes(const Plan& plan) {
  return sum_distinct(plan, [](const tensor::TensorView& w) { return w.data.size(); });
}

}  // namespace edgelm::plan
