#pragma once
// F32: IEEE binary32, little endian.

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeF32 {
  static constexpr DType kType = DType::kF32;
  static constexpr const char* kName = "F32";
  static constexpr std::uint32_t kBlockElements = 1;
  static constexpr std::uint32_t kBlockBytes = 4;
  static constexpr bool kQuantized = false;

  static float value(const std::byte* element) { return load_le<float>(element); }

#ifdef EDGELM_X86
  struct Avx2 {
    EDGELM_AVX2_INLINE static __m256 load8(const std::byte* elements) {
      return _mm256_loadu_ps(reinterpret_cast<const float*>(elements));
    }
  };
#endif

#ifdef EDGELM_ARM
  struct Neon {
    EDGELM_NEON_INLINE static float32x4x2_t load8(const std::byte* elements) {
      return {vreinterpretq_f32_u8(load_128(elements)),
              vreinterpretq_f32_u8(load_128(elements + 16))};
    }
  };
#endif
};

}  // namespace edgelm::tensor
