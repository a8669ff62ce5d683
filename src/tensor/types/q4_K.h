#pragma once
// Q4_K: 256 nibbles in eight groups, each with a six-bit scale and minimum. Block of 144 bytes:
// f16 d; f16 dmin; u8 scales[12] (group.h, unpack_scale_min); u8 qs[128], where each 32 bytes hold
// two groups: low nibbles, then high ones. value = d * scale * q - dmin * min.

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeQ4_K {
  static constexpr DType kType = DType::kQ4_K;
  static constexpr const char* kName = "Q4_K";
  static constexpr std::uint32_t kBlockElements = 256;
  static constexpr std::uint32_t kBlockBytes = 144;
  static constexpr bool kQuantized = true;
  static constexpr bool kHasOffset = true;
  static constexpr std::uint32_t kHalfFields[] = {0, 2};  // byte offsets of its f16 fields

  static Group group(const std::byte* block, std::size_t index) {
    Group out;
    const ScaleMin packed = unpack_scale_min(block + 4, index);
    out.scale = load_half(block);
    out.sub_scale[0] = out.sub_scale[1] = packed.scale;
    out.offset = -(load_half(block + 2) * static_cast<float>(packed.min));
    const std::byte* qs = block + 16 + index / 2 * 32;
    for (std::size_t j = 0; j < 32; ++j) {
      out.q[j] = static_cast<std::int8_t>((load_u8(qs + j) >> (index % 2 * 4)) & 15);
    }
    return out;
  }

#ifdef EDGELM_X86
  struct Avx2 {
    static constexpr bool kUnsigned = true;
    static constexpr bool kHasOffset = true;
    static constexpr bool kSubScales = true;

    EDGELM_AVX2_INLINE static ChunkAvx2 chunk(const std::byte* block, std::size_t) {
      const ScaleMinAvx2 packed = unpack_scale_min_avx2(block + 4);
      const __m256 negative_dmin = _mm256_set1_ps(-load_half_f16c(block + 2));
      return {_mm256_set1_ps(load_half_f16c(block)), _mm256_mul_ps(negative_dmin, packed.min),
              packed.sub_scale};
    }
    EDGELM_AVX2_INLINE static __m256i group(const std::byte* block, std::size_t g) {
      const __m256i packed = load_256(block + 16 + g / 2 * 32);
      const __m256i shifted = g % 2 == 0 ? packed : _mm256_srli_epi16(packed, 4);
      return _mm256_and_si256(shifted, _mm256_set1_epi8(15));
    }
  };
#endif

#ifdef EDGELM_ARM
  struct Neon {
    static constexpr bool kHasOffset = true;
    static constexpr int kSubScales = 1;
    static constexpr bool kSmall = true;

    template <std::size_t First>
    EDGELM_NEON_INLINE static ChunkNeon chunk(const std::byte* block, std::size_t) {
      return scale_min_chunk<First>(block);
    }
    template <std::size_t G>
    EDGELM_NEON_INLINE static uint8x16_t nibbles(const std::byte* qs) {
      if constexpr (G % 2 == 0) return vandq_u8(load_128(qs), vdupq_n_u8(15));
      return vshrq_n_u8(load_128(qs), 4);
    }
    template <std::size_t G>
    EDGELM_NEON_INLINE static GroupNeon group(const std::byte* block) {
      const std::byte* qs = block + 16 + G / 2 * 32;
      return as_signed(nibbles<G>(qs), nibbles<G>(qs + 16));
    }
  };
#endif
};

}  // namespace edgelm::tensor
