#pragma once
// Q4_0: 32 nibbles and one scale. Block of 18 bytes: f16 d; u8 qs[16], where element j is the low
// nibble of qs[j] and element j + 16 the high one. value = d * (nibble - 8).

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeQ4_0 {
  static constexpr DType kType = DType::kQ4_0;
  static constexpr const char* kName = "Q4_0";
  static constexpr std::uint32_t kBlockElements = 32;
  static constexpr std::uint32_t kBlockBytes = 18;
  static constexpr bool kQuantized = true;
  static constexpr bool kHasOffset = false;
  static constexpr std::uint32_t kHalfFields[] = {0};  // byte offsets of its f16 fields

  static Group group(const std::byte* block, std::size_t) {
    Group out;
    out.scale = load_half(block);
    for (std::size_t j = 0; j < 16; ++j) {
      const int packed = static_cast<int>(load_u8(block + 2 + j));
      out.q[j] = static_cast<std::int8_t>((packed & 15) - 8);
      out.q[j + 16] = static_cast<std::int8_t>((packed >> 4) - 8);
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
      return {scale, _mm256_mul_ps(scale, _mm256_set1_ps(-8)), _mm256_setzero_si256()};
    }
    EDGELM_AVX2_INLINE static __m256i group(const std::byte* blocks, std::size_t g) {
      return split_nibbles(blocks + g * kBlockBytes + 2);
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
      return {scale, vmulq_n_f32(scale, -8), {}};
    }
    template <std::size_t G>
    EDGELM_NEON_INLINE static GroupNeon group(const std::byte* blocks) {
      return split_nibbles_neon(blocks + G * kBlockBytes + 2);
    }
  };
#endif
};

}  // namespace edgelm::tensor
