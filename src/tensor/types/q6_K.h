#pragma once
// Q6_K: 256 six-bit values in 16 runs of 16, each with a signed byte scale. Block of 210 bytes:
// u8 ql[128]; u8 qh[64]; int8 scales[16]; f16 d. Each half of 128 elements uses 64 bytes of ql and
// 32 of qh: group k = 0..3 of the half has its low four bits in ql[32 * (k % 2) ..], low nibbles
// for k < 2 and high ones after, and its upper two bits at bit 2k of qh.
// value = d * scale * (q - 32).

#include "tensor/dtype.h"
#include "tensor/types/group.h"

namespace edgelm::tensor {

struct TypeQ6_K {
  static constexpr DType kType = DType::kQ6_K;
  static constexpr const char* kName = "Q6_K";
  static constexpr std::uint32_t kBlockElements = 256;
  static constexpr std::uint32_t kBlockBytes = 210;
  static constexpr bool kQuantized = true;
  static constexpr bool kHasOffset = false;
  static constexpr std::uint32_t kHalfFields[] = {208};  // byte offsets of its f16 fields

  static Group group(const std::byte* block, std::size_t index) {
    Group out;
    const std::size_t half = index / 4, k = index % 4;
    const std::byte* ql = block + half * 64 + k % 2 * 32;
    const std::byte* qh = block + 128 + half * 32;
    out.scale = load_half(block + 208);
    out.sub_scale[0] = load_le<std::int8_t>(block + 192 + 2 * index);
    out.sub_scale[1] = load_le<std::int8_t>(block + 193 + 2 * index);
    for (std::size_t j = 0; j < 32; ++j) {
      const unsigned low = (load_u8(ql + j) >> (k / 2 * 4)) & 15;
      const unsigned high = (load_u8(qh + j) >> (2 * k)) & 3;
      out.q[j] = static_cast<std::int8_t>(static_cast<int>(low | (high << 4)) - 32);
    }
    return out;
  }

#ifdef EDGELM_X86
  struct Avx2 {
    static constexpr bool kUnsigned = false;
    static constexpr bool kHasOffset = false;
    static constexpr bool kSubScales = true;

    EDGELM_AVX2_INLINE static ChunkAvx2 chunk(const std::byte* block, std::size_t) {
      const __m128i scales = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 192));
      const __m128i even_odd = _mm_shuffle_epi8(
          scales, _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15));
      return {_mm256_set1_ps(load_half_f16c(block + 208)), _mm256_setzero_ps(),
              _mm256_cvtepi8_epi16(even_odd)};
    }
    EDGELM_AVX2_INLINE static __m256i group(const std::byte* block, std::size_t g) {
      const std::size_t half = g / 4, k = g % 4;
      const __m256i ql = load_256(block + half * 64 + k % 2 * 32);
      const __m256i qh = load_256(block + 128 + half * 32);
      const __m256i low =
          _mm256_and_si256(k < 2 ? ql : _mm256_srli_epi16(ql, 4), _mm256_set1_epi8(15));
      const __m256i bits_at_4 = k < 2 ? _mm256_slli_epi16(qh, static_cast<int>(4 - 2 * k))
                                      : _mm256_srli_epi16(qh, static_cast<int>(2 * k - 4));
      const __m256i high = _mm256_and_si256(bits_at_4, _mm256_set1_epi8(0x30));
      return _mm256_sub_epi8(_mm256_or_si256(low, high), _mm256_set1_epi8(32));
    }
  };
#endif

#ifdef EDGELM_ARM
  struct Neon {
    static constexpr bool kHasOffset = false;
    static constexpr int kSubScales = 2;
    static constexpr bool kSmall = true;

    template <std::size_t First>
    EDGELM_NEON_INLINE static ChunkNeon chunk(const std::byte* block, std::size_t) {
      const std::byte* scales = block + 192 + 2 * First;
      const int16x8_t eight = vmovl_s8(vcreate_s8(load_le<std::uint64_t>(scales)));
      return {broadcast_half(block + 208),
              vdupq_n_f32(0),
              {vmovl_s16(vget_low_s16(eight)), vmovl_high_s16(eight)}};
    }
    template <std::size_t K>  // group within the half of 128
    EDGELM_NEON_INLINE static int8x16_t sixteen(const std::byte* ql, const std::byte* qh) {
      uint8x16_t low = load_128(ql), high = load_128(qh);
      if constexpr (K < 2) {
        low = vandq_u8(low, vdupq_n_u8(15));
        high = vshlq_n_u8(high, 4 - 2 * K);
      } else {
        low = vshrq_n_u8(low, 4);
        if constexpr (K == 3) high = vshrq_n_u8(high, 2);
      }
      const uint8x16_t value = vorrq_u8(low, vandq_u8(high, vdupq_n_u8(0x30)));
      return vsubq_s8(vreinterpretq_s8_u8(value), vdupq_n_s8(32));
    }
    template <std::size_t G>
    EDGELM_NEON_INLINE static GroupNeon group(const std::byte* block) {
      const std::byte* ql = block + G / 4 * 64 + G % 2 * 32;
      const std::byte* qh = block + 128 + G / 4 * 32;
      return {sixteen<G % 4>(ql, qh), sixteen<G % 4>(ql + 16, qh + 16)};
    }
  };
#endif
};

}  // namespace edgelm::tensor
