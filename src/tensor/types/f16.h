#pragma once
// F16: IEEE binary16, little endian.

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeF16 {
  static constexpr DType kType = DType::kF16;
  static constexpr const char* kName = "F16";
  static constexpr std::uint32_t kBlockElements = 1;
  static constexpr std::uint32_t kBlockBytes = 2;
  static constexpr bool kQuantized = false;

  static float value(const std::byte* element) { return load_half(element); }

#ifdef EDGELM_X86
  struct Avx2 {
    EDGELM_AVX2_INLINE static __m256 load8(const std::byte* elements) {
      return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(elements)));
    }
  };
#endif

#ifdef EDGELM_ARM
  struct Neon {
    EDGELM_NEON_INLINE static float32x4x2_t load8(const std::byte* elements) {
      const float16x8_t halves = vreinterpretq_f16_u8(load_128(elements));
      return {vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)};
    }
  };
#endif
};

}  // namespace edgelm::tensor
