// Rows are clamped and converted one by one, then keys are transposed into the block.

#include "kernels/attention/store.h"

#include <cmath>
#include <limits>

namespace edgelm::kernels {
namespace {

constexpr std::size_t kMaxDim = 512;
constexpr float kLargestHalf = 65504;

void clamp(const float* x, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const float below = x[i] > kLargestHalf ? kLargestHalf : x[i];  // NaN passes both
    out[i] = below < -kLargestHalf ? -kLargestHalf : below;
  }
}

// target[row * block_tokens + t] = rows[t][row]
template <class T>
void transpose(const T* rows, std::size_t n_tokens, std::size_t dim, std::byte* target,
               std::size_t block_tokens) {
  for (std::size_t row = 0; row < dim; ++row, target += block_tokens * sizeof(T))
    for (std::size_t t = 0; t < n_tokens; ++t)
      std::memcpy(target + t * sizeof(T), rows + t * dim + row, sizeof(T));
}

// q (dim) and one scale per 32 dims. A group with a NaN gets a NaN for a scale.
void quantize_row(const Kernels& kernels, const float* x, std::size_t dim, std::int8_t* q,
                  std::uint16_t* scales) {
  float row[kMaxDim] = {};  // GCC cannot see that clamp() fills it
  float scale[kMaxDim / kKvGroup];
  float unused[kMaxDim / kKvGroup];
  clamp(x, dim, row);
  kernels.quantize(row, dim, q, scale, unused);
  for (std::size_t group = 0; group < dim / kKvGroup; ++group) {
    bool has_nan = false;
    for (std::size_t i = 0; i < kKvGroup; ++i) has_nan |= std::isnan(row[group * kKvGroup + i]);
    if (has_nan) scale[group] = std::numeric_limits<float>::quiet_NaN();
    scales[group] = float_to_half(scale[group]);
  }
}

}  // namespace

void store_kv_f16(const Kernels& kernels, const KvStoreArgs& args) {
  float row[kMaxDim];
  std::uint16_t halves[kKvStoreTokens * kMaxDim];
  std::byte* values = args.head + args.layout.v + args.slot * args.v_dim * 2;
  for (std::size_t t = 0; t < args.n_tokens; ++t) {
    clamp(args.v + t * args.v_stride, args.v_dim, row);
    kernels.to_half(row, args.v_dim, reinterpret_cast<std::uint16_t*>(values) + t * args.v_dim);
    clamp(args.k + t * args.k_stride, args.k_dim, row);
    kernels.to_half(row, args.k_dim, halves + t * args.k_dim);
  }
  transpose(halves, args.n_tokens, args.k_dim, args.head + args.slot * 2, args.block_tokens);
}

void store_kv_q8_0(const Kernels& kernels, const KvStoreArgs& args) {
  std::int8_t q[kKvStoreTokens * kMaxDim];
  std::uint16_t scales[kKvStoreTokens * kMaxDim / kKvGroup];
  const std::size_t k_groups = args.k_dim / kKvGroup;
  const std::size_t v_groups = args.v_dim / kKvGroup;
  std::byte* values = args.head + args.layout.v + args.slot * args.v_dim;
  std::byte* value_scales = args.head + args.layout.v_scales + args.slot * v_groups * 2;
  for (std::size_t t = 0; t < args.n_tokens; ++t) {
    quantize_row(kernels, args.v + t * args.v_stride, args.v_dim,
                 reinterpret_cast<std::int8_t*>(values) + t * args.v_dim,
                 reinterpret_cast<std::uint16_t*>(value_scales) + t * v_groups);
    quantize_row(kernels, args.k + t * args.k_stride, args.k_dim, q + t * args.k_dim,
                 scales + t * k_groups);
  }
  transpose(q, args.n_tokens, args.k_dim, args.head + args.slot, args.block_tokens);
  transpose(scales, args.n_tokens, k_groups, args.head + args.layout.k_scales + args.slot * 2,
            args.block_tokens);
}

}  // namespace edgelm::kernels
