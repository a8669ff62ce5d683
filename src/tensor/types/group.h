#pragma once
// What the quantized type files share. Every quantized type is seen as groups of 32 elements, each
// value = (scale * sub_scale[j / 16]) * q[j] + offset, in that order of float operations. Kernels
// need nothing else from a type; each instruction set has its own decoder in the type's file.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/half.h"
#include "base/target.h"

namespace edgelm::tensor {

constexpr std::size_t kGroupElements = 32;

struct Group {
  std::int8_t q[kGroupElements];
  std::int32_t sub_scale[2] = {1, 1};  // one per 16 elements
  float scale = 0;
  float offset = 0;  // only read for types with kHasOffset
};

inline float load_half(const std::byte* source) {
  return half_to_float(load_le<std::uint16_t>(source));
}

inline unsigned load_u8(const std::byte* source) { return std::to_integer<unsigned>(*source); }

// The 6-bit scales and minima of Q4_K and Q5_K, eight of each in 12 bytes: for groups 0..3 the low
// six bits of bytes 0..3 (scale) and 4..7 (minimum); for groups 4..7 four bits in a nibble of
// bytes 8..11 and the upper two bits on top of bytes 0..7 (ggml-quants.c, get_scale_min_k4).
struct ScaleMin {
  std::int32_t scale;
  std::int32_t min;
};

inline ScaleMin unpack_scale_min(const std::byte* packed, std::size_t group) {
  const auto at = [packed](std::size_t i) { return static_cast<int>(load_u8(packed + i)); };
  if (group < 4) return {at(group) & 63, at(group + 4) & 63};
  return {(at(group + 4) & 15) | ((at(group - 4) >> 6) << 4),
          (at(group + 4) >> 4) | ((at(group) >> 6) << 4)};
}

#ifdef EDGELM_X86
// AVX2 kernels take eight groups (256 elements, a "chunk") at a time: one lane per group. The last
// chunk of a row may have fewer for types with 32-element blocks; missing lanes are 0.
//
// A decoder `struct Avx2` says how its bytes meet the activations:
//   kUnsigned    group() yields unsigned bytes (else signed, in [-128, 127])
//   kHasOffset   chunk().offset counts; it may differ from Group::offset by the bias that turns
//                signed values into unsigned ones, e.g. -8 * scale for Q4_0
//   kSubScales   chunk().sub_scale counts: int16 of group g at index g of each 128-bit half, the
//                lower half for elements 0..15 and the upper half for elements 16..31
//   chunk(first block, n_groups), group(first block, g): g in [0, n_groups)
struct ChunkAvx2 {
  __m256 scale;
  __m256 offset;
  __m256i sub_scale;
};

// The f16 fields of `count` <= 8 blocks, `stride` bytes apart, as floats.
EDGELM_AVX2_INLINE __m256 gather_halves(const std::byte* first, std::size_t stride,
                                        std::size_t count) {
  std::int16_t halves[8] = {};
  for (std::size_t i = 0; i < count; ++i) halves[i] = load_le<std::int16_t>(first + i * stride);
  return _mm256_cvtph_ps(_mm_setr_epi16(halves[0], halves[1], halves[2], halves[3], halves[4],
                                        halves[5], halves[6], halves[7]));
}

EDGELM_AVX2_INLINE float load_half_f16c(const std::byte* source) {
  return _cvtsh_ss(load_le<std::uint16_t>(source));
}

EDGELM_AVX2_INLINE __m256i load_256(const std::byte* source) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(source));
}

// 16 packed bytes -> 32 nibbles: low nibbles first, then high ones.
EDGELM_AVX2_INLINE __m256i split_nibbles(const std::byte* source) {
  const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(source));
  const __m256i both = _mm256_set_m128i(_mm_srli_epi16(packed, 4), packed);
  return _mm256_and_si256(both, _mm256_set1_epi8(15));
}

// 32 bits -> 32 bytes, `value` where the bit is set and 0 elsewhere.
EDGELM_AVX2_INLINE __m256i spread_bits(std::uint32_t bits, char value) {
  const __m256i byte_of_bit =
      _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201ULL));
  const __m256i copies =
      _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), byte_of_bit);
  const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(copies, bit), bit);
  return _mm256_and_si256(set, _mm256_set1_epi8(value));
}

// Scales and minima of a whole Q4_K or Q5_K block: sub_scale as ChunkAvx2 wants it, minima as
// floats.
struct ScaleMinAvx2 {
  __m256i sub_scale;
  __m256 min;
};

EDGELM_AVX2_INLINE ScaleMinAvx2 unpack_scale_min_avx2(const std::byte* packed) {
  const auto first = load_le<std::uint32_t>(packed);       // scales 0..3, upper bits of 4..7
  const auto second = load_le<std::uint32_t>(packed + 4);  // minima 0..3, upper bits of 4..7
  const auto third = load_le<std::uint32_t>(packed + 8);   // low nibbles of both, 4..7
  const std::uint32_t low6 = 0x3f3f3f3f, low4 = 0x0f0f0f0f, bits45 = 0x30303030;
  const std::uint32_t scales_high = (third & low4) | ((first >> 2) & bits45);
  const std::uint32_t mins_high = ((third >> 4) & low4) | ((second >> 2) & bits45);
  const __m128i bytes =
      _mm_setr_epi32(static_cast<int>(first & low6), static_cast<int>(scales_high),
                     static_cast<int>(second & low6), static_cast<int>(mins_high));
  const __m128i scales16 = _mm_cvtepu8_epi16(bytes);
  const __m256i mins32 = _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(bytes, bytes));
  return {_mm256_set_m128i(scales16, scales16), _mm256_cvtepi32_ps(mins32)};
}
#endif

}  // namespace edgelm::tensor
