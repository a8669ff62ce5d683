#pragma once
// Q8_0: 32 signed bytes and one scale. Block of 34 bytes: f16 d; int8 q[32]. value = d * q.

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeQ8_0 {
  static constexpr DType kType = DType::kQ8_0;
  static constexpr const char* kName = "Q8_0";
  static constexpr std::uint32_t kBlockElements = 32;
  static constexpr std::uint32_t kBlockBytes = 34;
  static constexpr bool kQuantized = true;
  static constexpr bool kHasOffset = false;
  static constexpr std::uint32_t kHalfFields[] = {0};  // byte offsets of its f16 fields

  static Group group(const std::byte* block, std::size_t) {
    Group out;
    out.scale = load_half(block);
    std::memcpy(out.q, block + 2, sizeof out.q);
    return out;
  }

#ifdef EDGELM_X86
  struct Avx2 {
    static constexpr bool kUnsigned = false;
    static constexpr bool kHasOffset = false;
    static constexpr bool kSubScales = false;

    EDGELM_AVX2_INLINE static ChunkAvx2 chunk(const std::byte* blocks, std::size_t n_groups) {
      const __m256 zero = _mm256_setzero_ps();
      return {gather_halves(blocks, kBlockBytes, n_groups), zero, _mm256_setzero_si256()};
    }
    EDGELM_AVX2_INLINE static __m256i group(const std::byte* blocks, std::size_t g) {
      return load_256(blocks + g * kBlockBytes + 2);
    }
  };
#endif

#ifdef EDGELM_ARM
  struct Neon {
    static constexpr bool kHasOffset = false;
    static constexpr int kSubScales = 0;
    static constexpr bool kSmall = false;

    template <std::size_t First>
    EDGELM_NEON_INLINE static ChunkNeon chunk(const std::byte* blocks, std::size_t n_groups) {
      const float32x4_t scale = gather_halves_neon(blocks, kBlockBytes, n_groups);
      return {scale, vdupq_n_f32(0), {}};
    }
    template <std::size_t G>
    EDGELM_NEON_INLINE static GroupNeon group(const std::byte* blocks) {
      const std::byte* q = blocks + G * kBlockBytes + 2;
      return as_signed(load_128(q), load_128(q + 16));
    }
  };
#endif
};

}  // namespace edgelm::tensor
