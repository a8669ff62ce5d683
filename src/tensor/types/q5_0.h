#pragma once
// Q5_0: 32 five-bit values and one scale. Block of 22 bytes: f16 d; u32 qh, whose bit j is the
// fifth bit of element j; u8 qs[16] as in Q4_0. value = d * (q - 16).

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeQ5_0 {
  static constexpr DType kType = DType::kQ5_0;
  static constexpr const char* kName = "Q5_0";
  static constexpr std::uint32_t kBlockElements = 32;
  static constexpr std::uint32_t kBlockBytes = 22;
  static constexpr bool kQuantized = true;
  static constexpr bool kHasOffset = false;
  static constexpr std::uint32_t kHalfFields[] = {0};  // byte offsets of its f16 fields

  static Group group(const std::byte* block, std::size_t) {
    Group out;
    out.scale = load_half(block);
    const auto fifth = load_le<std::uint32_t>(block + 2);
    for (std::uint32_t j = 0; j < 16; ++j) {
      const std::uint32_t packed = load_u8(block + 6 + j);
      const std::uint32_t low = (packed & 15) | (((fifth >> j) & 1) << 4);
      const std::uint32_t high = (packed >> 4) | (((fifth >> (j + 16)) & 1) << 4);
      out.q[j] = static_cast<std::int8_t>(static_cast<int>(low) - 16);
      out.q[j + 16] = static_cast<std::int8_t>(static_cast<int>(high) - 16);
    }
    return out;
  }

#ifdef EDGELM_X86
  struct Avx2 {
    static constexpr bool kUnsigned = true;
    static constexpr bool kHasOffset = true;
    static constexpr bool kSubScales = false;

    EDGELM_AVX2_INLINE static ChunkAvx2 chunk(const std::byte* blocks, std::size_t n_groups) {
      const __m256 scale = gather_halves(blocks, kBlockBytes, n_groups);
      return {scale, _mm256_mul_ps(scale, _mm256_set1_ps(-16)), _mm256_setzero_si256()};
    }
    EDGELM_AVX2_INLINE static __m256i group(const std::byte* blocks, std::size_t g) {
      const std::byte* block = blocks + g * kBlockBytes;
      const __m256i fifth = spread_bits(load_le<std::uint32_t>(block + 2), 16);
      return _mm256_or_si256(split_nibbles(block + 6), fifth);
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
      return {scale, vmulq_n_f32(scale, -16), {}};
    }
    template <std::size_t G>
    EDGELM_NEON_INLINE static GroupNeon group(const std::byte* blocks) {
      const std::byte* block = blocks + G * kBlockBytes;
      return add_fifth_bits(split_nibbles_neon(block + 6), load_le<std::uint32_t>(block + 2));
    }
  };
#endif
};

}  // namespace edgelm::tensor
