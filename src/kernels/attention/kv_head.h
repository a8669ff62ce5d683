#pragma once
// How the keys and values of one layer and KV head lie in a block of `block_tokens` positions, and
// the value of one element. Keys are transposed, so that the products of attention need no
// horizontal sums: a vector holds one dimension of consecutive positions.
//
//   f16:  K (k_dim, block_tokens), V (block_tokens, v_dim), halves
//   q8_0: K (k_dim, block_tokens) int8, scales (k_dim / 32, block_tokens) halves,
//         V (block_tokens, v_dim) int8, scales (block_tokens, v_dim / 32) halves:
//         element = scale * int8, rounded once to float32; a scale covers 32 dims of one position

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/half.h"

namespace edgelm::kernels {

constexpr std::size_t kKvGroup = 32;  // dims that share a scale in q8_0

// Bytes from the start of a head in a block to its parts.
struct KvLayout {
  std::size_t k_scales = 0;
  std::size_t v = 0;
  std::size_t v_scales = 0;
  std::size_t bytes = 0;
};

constexpr KvLayout kv_layout_f16(std::size_t block_tokens, std::size_t k_dim, std::size_t v_dim) {
  const std::size_t v = block_tokens * k_dim * 2;
  const std::size_t bytes = v + block_tokens * v_dim * 2;
  return {v, v, bytes, bytes};
}

constexpr KvLayout kv_layout_q8_0(std::size_t block_tokens, std::size_t k_dim, std::size_t v_dim) {
  const std::size_t k_scales = block_tokens * k_dim;
  const std::size_t v = k_scales + block_tokens * (k_dim / kKvGroup) * 2;
  const std::size_t v_scales = v + block_tokens * v_dim;
  return {k_scales, v, v_scales, v_scales + block_tokens * (v_dim / kKvGroup) * 2};
}

// One head of one layer in the blocks of a sequence.
struct KvHead {
  const std::byte* const* blocks = nullptr;  // base addresses, even, in order of position
  std::size_t block_tokens = 0;
  std::size_t offset = 0;  // bytes from a block's base to this head, even
  KvLayout layout;
  std::size_t k_dim = 0;
  std::size_t v_dim = 0;

  [[nodiscard]] const std::byte* head(std::size_t position) const {
    return blocks[position / block_tokens] + offset;
  }
};

inline float load_half(const std::byte* at) {
  std::uint16_t half = 0;
  std::memcpy(&half, at, sizeof half);
  return half_to_float(half);
}

struct KvF16 {
  static float key(const KvHead& kv, std::size_t position, std::size_t d) {
    const std::size_t slot = position % kv.block_tokens;
    return load_half(kv.head(position) + (d * kv.block_tokens + slot) * 2);
  }
  static float value(const KvHead& kv, std::size_t position, std::size_t d) {
    const std::size_t slot = position % kv.block_tokens;
    return load_half(kv.head(position) + kv.layout.v + (slot * kv.v_dim + d) * 2);
  }
};

struct KvQ8_0 {
  static float key(const KvHead& kv, std::size_t position, std::size_t d) {
    const std::byte* head = kv.head(position);
    const std::size_t slot = position % kv.block_tokens;
    const std::byte* scales = head + kv.layout.k_scales;
    const float scale = load_half(scales + (d / kKvGroup * kv.block_tokens + slot) * 2);
    return scale * static_cast<float>(static_cast<std::int8_t>(head[d * kv.block_tokens + slot]));
  }
  static float value(const KvHead& kv, std::size_t position, std::size_t d) {
    const std::byte* head = kv.head(position);
    const std::size_t slot = position % kv.block_tokens;
    const std::byte* scales = head + kv.layout.v_scales;
    const float scale = load_half(scales + (slot * (kv.v_dim / kKvGroup) + d / kKvGroup) * 2);
    const std::byte* values = head + kv.layout.v;
    return scale * static_cast<float>(static_cast<std::int8_t>(values[slot * kv.v_dim + d]));
  }
};

}  // namespace edgelm::kernels
