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

#ifdef EDGELM_ARM
// NEON kernels take four groups (128 elements, a "chunk") at a time: one lane per group. The last
// chunk of a row may have fewer for types with 32-element blocks; missing lanes are 0.
//
// A decoder `struct Neon` says how its bytes meet the activations (SDOT is signed, so values are):
//   kHasOffset   chunk().offset counts; it may differ from Group::offset by the bias that spares a
//                subtraction, e.g. -8 * scale for Q4_0
//   kSubScales   per group: 0, 1 (sub_scale[0], a lane per group) or 2 (for elements 0..15 and
//                16..31: lanes g0 g0' g1 g1' of sub_scale[0], then g2 g2' g3 g3')
//   kSmall       |q| <= 63: four products of an activation fit into int16
//   chunk<First>(block, n_groups), group<G>(block): groups First .. First + 3, group G. Blocks of
//                256 elements have First 0 or 4; others have First 0, and G counts blocks.
struct ChunkNeon {
  float32x4_t scale;
  float32x4_t offset;
  int32x4_t sub_scale[2];
};

struct GroupNeon {
  int8x16_t low;   // elements 0..15
  int8x16_t high;  // elements 16..31
};

EDGELM_NEON_INLINE uint8x16_t load_128(const std::byte* source) {
  return vld1q_u8(reinterpret_cast<const std::uint8_t*>(source));
}

EDGELM_NEON_INLINE GroupNeon as_signed(uint8x16_t low, uint8x16_t high) {
  return {vreinterpretq_s8_u8(low), vreinterpretq_s8_u8(high)};
}

// The f16 fields of `count` <= 4 blocks, `stride` bytes apart, as floats.
EDGELM_NEON_INLINE float32x4_t gather_halves_neon(const std::byte* first, std::size_t stride,
                                                  std::size_t count) {
  std::uint64_t halves = 0;
  for (std::size_t i = 0; i < count; ++i)
    halves |= std::uint64_t{load_le<std::uint16_t>(first + i * stride)} << (16 * i);
  return vcvt_f32_f16(vreinterpret_f16_u64(vcreate_u64(halves)));
}

EDGELM_NEON_INLINE float32x4_t broadcast_half(const std::byte* source) {
  return vcvt_f32_f16(vreinterpret_f16_u16(vdup_n_u16(load_le<std::uint16_t>(source))));
}

// 16 packed bytes -> 32 nibbles: low nibbles first, then high ones.
EDGELM_NEON_INLINE GroupNeon split_nibbles_neon(const std::byte* source) {
  const uint8x16_t packed = load_128(source);
  return as_signed(vandq_u8(packed, vdupq_n_u8(15)), vshrq_n_u8(packed, 4));
}

// Adds 16 to the elements whose bit in `bits` is set.
EDGELM_NEON_INLINE GroupNeon add_fifth_bits(GroupNeon nibbles, std::uint32_t bits) {
  const uint8x16_t copies = vreinterpretq_u8_u32(vdupq_n_u32(bits));
  const uint8x16_t byte_of_bit = vcombine_u8(vdup_n_u8(0), vdup_n_u8(1));
  const uint8x16_t bit = vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201ULL));
  const uint8x16_t sixteen = vdupq_n_u8(16);
  const uint8x16_t low = vtstq_u8(vqtbl1q_u8(copies, byte_of_bit), bit);
  const uint8x16_t high = vtstq_u8(vqtbl1q_u8(copies, vaddq_u8(byte_of_bit, vdupq_n_u8(2))), bit);
  return as_signed(vorrq_u8(vreinterpretq_u8_s8(nibbles.low), vandq_u8(low, sixteen)),
                   vorrq_u8(vreinterpretq_u8_s8(nibbles.high), vandq_u8(high, sixteen)));
}

EDGELM_NEON_INLINE int32x4_t widen_bytes(std::uint32_t four) {
  const uint8x8_t bytes = vreinterpret_u8_u32(vdup_n_u32(four));
  return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))));
}

// Groups First .. First + 3 of a Q4_K or Q5_K block; see unpack_scale_min for the packing.
template <std::size_t First>
EDGELM_NEON_INLINE ChunkNeon scale_min_chunk(const std::byte* block) {
  const std::byte* packed = block + 4;
  auto scales = load_le<std::uint32_t>(packed);
  auto mins = load_le<std::uint32_t>(packed + 4);
  if constexpr (First == 0) {
    scales &= 0x3f3f3f3f;
    mins &= 0x3f3f3f3f;
  } else {
    const auto low = load_le<std::uint32_t>(packed + 8);
    scales = (low & 0x0f0f0f0f) | ((scales >> 2) & 0x30303030);
    mins = ((low >> 4) & 0x0f0f0f0f) | ((mins >> 2) & 0x30303030);
  }
  const float32x4_t negative_dmin = vnegq_f32(broadcast_half(block + 2));
  return {broadcast_half(block),
          vmulq_f32(negative_dmin, vcvtq_f32_s32(widen_bytes(mins))),
          {widen_bytes(scales), vdupq_n_s32(0)}};
}
#endif

}  // namespace edgelm::tensor
