#pragma once
// BF16: the upper half of an IEEE binary32.

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeBF16 {
  static constexpr DType kType = DType::kBF16;
  static constexpr const char* kName = "BF16";
  static constexpr std::uint32_t kBlockElements = 1;
  static constexpr std::uint32_t kBlockBytes = 2;
  static constexpr bool kQuantized = false;

  static float value(const std::byte* element) {
    return bfloat_to_float(load_le<std::uint16_t>(element));
  }

#ifdef EDGELM_X86
  struct Avx2 {
    EDGELM_AVX2_INLINE static __m256 load8(const std::byte* elements) {
      const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(elements));
      return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
    }
  };
#endif

#ifdef EDGELM_ARM
  struct Neon {
    EDGELM_NEON_INLINE static float32x4x2_t load8(const std::byte* elements) {
      const uint16x8_t halves = vreinterpretq_u16_u8(load_128(elements));
      return {vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(halves), 16)),
              vreinterpretq_f32_u32(vshll_high_n_u16(halves, 16))};
    }
  };
#endif
};

}  // namespace edgelm::tensor
