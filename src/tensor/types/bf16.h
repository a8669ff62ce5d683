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
};

}  // namespace edgelm::tensor
