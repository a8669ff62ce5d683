#pragma once
// Q5_1: 32 five-bit values, a scale and an offset. Block of 24 bytes: f16 d; f16 m; u32 qh, whose
// bit j is the fifth bit of element j; u8 qs[16] as in Q4_0. value = d * q + m.

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeQ5_1 {
  static constexpr DType kType = DType::kQ5_1;
  static constexpr const char* kName = "Q5_1";
  static constexpr std::uint32_t kBlockElements = 32;
  static constexpr std::uint32_t kBlockBytes = 24;
  static constexpr bool kQuantized = true;
  static constexpr bool kHasOffset = true;
  static constexpr std::uint32_t kHalfFields[] = {0, 2};  // byte offsets of its f16 fields

  static Group group(const std::byte* block, std::size_t) {
    Group out;
    out.scale = load_half(block);
    out.offset = load_half(block + 2);
    const auto fifth = load_le<std::uint32_t>(block + 4);
    for (std::uint32_t j = 0; j < 16; ++j) {
      const std::uint32_t packed = load_u8(block + 8 + j);
      const std::uint32_t low = (packed & 15) | (((fifth >> j) & 1) << 4);
      const std::uint32_t high = (packed >> 4) | (((fifth >> (j + 16)) & 1) << 4);
      out.q[j] = static_cast<std::int8_t>(low);
      out.q[j + 16] = static_cast<std::int8_t>(high);
    }
    return out;
  }

#ifdef EDGELM_X86
  struct Avx2 {
    static constexpr bool kUnsigned = true;
    static constexpr bool kHasOffset = true;
    static constexpr bool kSubScales = false;

    EDGELM_AVX2_INLINE static ChunkAvx2 chunk(const std::byte* blocks, std::size_t n_groups) {
      return {gather_halves(blocks, kBlockBytes, n_groups),
              gather_halves(blocks + 2, kBlockBytes, n_groups), _mm256_setzero_si256()};
    }
    EDGELM_AVX2_INLINE static __m256i group(const std::byte* blocks, std::size_t g) {
      const std::byte* block = blocks + g * kBlockBytes;
      const __m256i fifth = spread_bits(load_le<std::uint32_t>(block + 4), 16);
      return _mm256_or_si256(split_nibbles(block + 8), fifth);
    }
  };
#endif

#ifdef EDGELM_ARM
  struct Neon {
    static constexpr bool kHasOffset = true;
    static constexpr int kSubScales = 0;
    static constexpr bool kSmall = true;

    template <std::size_t First>
    EDGELM_NEON_INLINE static ChunkNeon chunk(const std::byte* blocks, std::size_t n_groups) {
      const float32x4_t scale = gather_halves_neon(blocks, kBlockBytes, n_groups);
      return {scale, gather_halves_neon(blocks + 2, kBlockBytes, n_groups), {}};
    }
    template <std::size_t G>
    EDGELM_NEON_INLINE static GroupNeon group(const std::byte* blocks) {
      const std::byte* block = blocks + G * kBlockBytes;
      return add_fifth_bits(split_nibbles_neon(block + 8), load_le<std::uint32_t>(block + 4));
    }
  };
#endif
};

}  // namespace edgelm::tensor
