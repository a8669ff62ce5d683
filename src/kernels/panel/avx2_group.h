#pragma once
// What the AVX2 panel kernels share: k-vectors out of packed bytes, scales out of headers, and the
// exact integer product of one group of 32 columns.
//
// Unsigned weights times signed activations: vpmaddubsw adds two products into int16. Sums of more
// steps stay exact as long as they fit, with |activation| <= 127:
//   4 bits  8 steps (a whole group)  8 * 2 * 15 * 127 = 30480
//   5 bits  4 steps                  4 * 2 * 31 * 127 = 31496
//   6 bits  4 steps (a half), begun at -32 * sum of the activations: additions wrap, one step is at
//           most 2 * 63 * 127 = 16002, and the true end is within 8 * 32 * 127 = 32512
//   8 bits  1 step on |w| with the sign moved to the activation: 2 * 128 * 127 = 32512 (one to
//           four tokens; more are multiplied as int16, dot_group_wide)
// Then vpmaddwd widens to int32 and applies the six- or eight-bit sub-scales on the way.

#include "base/target.h"

#ifdef EDGELM_X86

#include <cstring>

#include "kernels/panel/panel.h"

namespace edgelm::kernels {

EDGELM_AVX2_INLINE __m256i load_bytes(const void* source) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(source));
}

EDGELM_AVX2_INLINE __m256 load_8_halves(const std::byte* source) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(source)));
}

// Four activations in every row's place.
EDGELM_AVX2_INLINE __m256i broadcast_four(const void* source) {
  std::int32_t four;
  std::memcpy(&four, source, sizeof four);
  return _mm256_set1_epi32(four);
}

// GCC regroups a chain of integer additions into a tree and keeps all its leaves on the stack: a
// prefill tile is 1.6 times slower for it. An accumulator that passes through here is added to as
// written.
EDGELM_AVX2_INLINE void add_in_order(__m256i& accumulator) { __asm__("" : "+x"(accumulator)); }

// k-vector j of a group, as unsigned bytes (8 bits: signed).
template <int kBits>
EDGELM_AVX2_INLINE __m256i packed_vector(const std::byte* group, int j) {
  if constexpr (kBits == 8) return load_bytes(group + 32 * j);
  const __m256i bytes = load_bytes(group + 32 * (j % 4));
  const __m256i low =
      _mm256_and_si256(j < 4 ? bytes : _mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  if constexpr (kBits == 4) return low;
  if constexpr (kBits == 5) {
    const __m256i bits = load_bytes(group + 128);
    const __m256i at4 = j < 4 ? _mm256_slli_epi16(bits, 4 - j) : _mm256_srli_epi16(bits, j - 4);
    return _mm256_or_si256(low, _mm256_and_si256(at4, _mm256_set1_epi8(16)));
  }
  const __m256i bits = load_bytes(group + 128 + 32 * (j / 4));
  const int v = j % 4;
  const __m256i at4 =
      v < 2 ? _mm256_slli_epi16(bits, 4 - 2 * v) : _mm256_srli_epi16(bits, 2 * v - 4);
  return _mm256_or_si256(low, _mm256_and_si256(at4, _mm256_set1_epi8(0x30)));
}

// Two ways to the k-vectors of P panels: unpacked here and now, or unpacked before.
template <int kBits>
struct PackedGroup {
  const std::byte* group;
  EDGELM_AVX2_INLINE __m256i vector(int j, int) const { return packed_vector<kBits>(group, j); }
};
template <int P>
struct UnpackedGroup {
  const std::byte* vectors;  // (k-vector, panel)
  EDGELM_AVX2_INLINE __m256i vector(int j, int p) const {
    return load_bytes(vectors + 32 * (j * P + p));
  }
};

// The activations of T tokens in one group.
template <int T>
struct TokenGroup {
  const std::int8_t* q[T];
  const std::int16_t* bias[T];  // two pairs; read for 6 bits only
};

// sums[p][t] = sub-scaled dot products of 8 rows. `sub_scale(p, half)`: int16 pairs per row.
template <int kBits, int P, int T, class Weights, class SubScales>
EDGELM_AVX2_INLINE void dot_group(const Weights& weights, const TokenGroup<T>& x,
                                  const SubScales& sub_scales, __m256i (&sums)[P][T]) {
  if constexpr (kBits == 8) {
    const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) {
        const __m256i w = weights.vector(j, p);
        const __m256i magnitude = _mm256_abs_epi8(w);
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) {
          const __m256i four = _mm256_sign_epi8(broadcast_four(x.q[t] + 4 * j), w);
          const __m256i dots = _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, four), ones);
          sums[p][t] = j == 0 ? dots : _mm256_add_epi32(sums[p][t], dots);
          add_in_order(sums[p][t]);
        }
      }
    }
  } else {
    constexpr int kSteps = kBits == 4 ? 8 : 4;
#pragma GCC unroll 2
    for (int part = 0; part < 8 / kSteps; ++part) {
      __m256i acc[P][T];
#pragma GCC unroll 8
      for (int step = 0; step < kSteps; ++step) {
        const int j = part * kSteps + step;
        __m256i w[P];
#pragma GCC unroll 2
        for (int p = 0; p < P; ++p) w[p] = weights.vector(j, p);
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) {
          const __m256i four = broadcast_four(x.q[t] + 4 * j);
          if (kBits == 6 && step == 0) {
            const __m256i bias = broadcast_four(x.bias[t] + 2 * part);
#pragma GCC unroll 2
            for (int p = 0; p < P; ++p) acc[p][t] = bias;
          }
#pragma GCC unroll 2
          for (int p = 0; p < P; ++p) {
            const __m256i dots = _mm256_maddubs_epi16(w[p], four);
            acc[p][t] = kBits != 6 && step == 0 ? dots : _mm256_add_epi16(acc[p][t], dots);
            add_in_order(acc[p][t]);
          }
        }
      }
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
        for (int t = 0; t < T; ++t) {
          const __m256i dots = _mm256_madd_epi16(acc[p][t], sub_scales.get(p, part));
          sums[p][t] = part == 0 ? dots : _mm256_add_epi32(sums[p][t], dots);
        }
      }
    }
  }
}

// The same for 8 bits over weights and activations widened to int16: 16 products per instruction,
// but no sign to move and nothing to widen (1.35 times faster than the above for four tokens).
// Vectors are (half k-vector, panel): columns 0, 2 of eight rows, then columns 1, 3.
template <int P, int T>
EDGELM_AVX2_INLINE void dot_group_wide(const std::int16_t* weights,
                                       const std::int16_t* const (&x)[T], __m256i (&sums)[P][T]) {
#pragma GCC unroll 16
  for (int k = 0; k < 16; ++k) {
    __m256i w[P];
#pragma GCC unroll 2
    for (int p = 0; p < P; ++p) w[p] = load_bytes(weights + 16 * (k * P + p));
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      const __m256i two = broadcast_four(x[t] + 2 * k);
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) {
        const __m256i dots = _mm256_madd_epi16(w[p], two);
        sums[p][t] = k == 0 ? dots : _mm256_add_epi32(sums[p][t], dots);
        add_in_order(sums[p][t]);
      }
    }
  }
}

// --- scales -----------------------------------------------------------------------------------

// Bytes of eight rows -> int16 pairs per row.
EDGELM_AVX2_INLINE __m256i spread_unsigned(const std::uint8_t* rows) {
  long long eight;
  std::memcpy(&eight, rows, sizeof eight);
  const __m256i order = _mm256_setr_epi8(0, -1, 0, -1, 1, -1, 1, -1, 2, -1, 2, -1, 3, -1, 3, -1,  //
                                         4, -1, 4, -1, 5, -1, 5, -1, 6, -1, 6, -1, 7, -1, 7, -1);
  return _mm256_shuffle_epi8(_mm256_set1_epi64x(eight), order);
}
EDGELM_AVX2_INLINE __m256i spread_signed(const std::byte* rows) {
  long long eight;
  std::memcpy(&eight, rows, sizeof eight);
  const __m256i order = _mm256_setr_epi8(-1, 0, -1, 0, -1, 1, -1, 1, -1, 2, -1, 2, -1, 3, -1, 3,  //
                                         -1, 4, -1, 4, -1, 5, -1, 5, -1, 6, -1, 6, -1, 7, -1, 7);
  return _mm256_srai_epi16(_mm256_shuffle_epi8(_mm256_set1_epi64x(eight), order), 8);
}

// The six-bit scales and minima of a chunk, as bytes (group, row).
struct SixBits {
  alignas(32) std::uint8_t scale[kChunkGroups * kPanelRows];
  alignas(32) std::uint8_t min[kChunkGroups * kPanelRows];
};

EDGELM_AVX2_INLINE void unpack_six_bits(const std::byte* header, SixBits& out) {
  const std::byte* low = header + 4 * kPanelRows;
  const __m256i first = load_bytes(low), second = load_bytes(low + 32);
  const __m256i high = load_bytes(low + 64);
  const __m256i low4 = _mm256_set1_epi8(15), bits45 = _mm256_set1_epi8(0x30);
  _mm256_store_si256(reinterpret_cast<__m256i*>(out.scale),
                     _mm256_or_si256(_mm256_and_si256(first, low4),
                                     _mm256_and_si256(_mm256_slli_epi16(high, 4), bits45)));
  _mm256_store_si256(reinterpret_cast<__m256i*>(out.min),
                     _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(first, 4), low4),
                                     _mm256_and_si256(_mm256_slli_epi16(high, 2), bits45)));
  _mm256_store_si256(
      reinterpret_cast<__m256i*>(out.scale + 32),
      _mm256_or_si256(_mm256_and_si256(second, low4), _mm256_and_si256(high, bits45)));
  _mm256_store_si256(reinterpret_cast<__m256i*>(out.min + 32),
                     _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(second, 4), low4),
                                     _mm256_and_si256(_mm256_srli_epi16(high, 2), bits45)));
}

EDGELM_AVX2_INLINE __m256 bytes_to_floats(const std::uint8_t* rows) {
  return _mm256_cvtepi32_ps(
      _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows))));
}

EDGELM_AVX2_INLINE __m256 signed_bytes_to_floats(const std::byte* rows) {
  return _mm256_cvtepi32_ps(
      _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows))));
}

// Adds a chunk of one token to its outputs, as panel.h says.
template <class Type>
EDGELM_AVX2_INLINE __m256 end_chunk(const std::byte* prefix, const std::byte* chunk, __m256 sum,
                                    __m256 mins, __m256 out) {
  using Layout = PanelLayout<Type>;
  if constexpr (Layout::kScales == PanelScales::kSuper) {
    const __m256 dmin = load_8_halves(chunk + 2 * kPanelRows);
    return _mm256_fnmadd_ps(dmin, mins, _mm256_fmadd_ps(load_8_halves(chunk), sum, out));
  } else if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
    return _mm256_fmadd_ps(load_8_halves(prefix), sum, out);
  } else {
    out = _mm256_add_ps(out, sum);
    if constexpr (Layout::kScales == PanelScales::kPerGroupMin) return _mm256_add_ps(out, mins);
    if constexpr (Layout::kOffset != 0)
      return _mm256_fmadd_ps(_mm256_set1_ps(-static_cast<float>(Layout::kOffset)), mins, out);
    return out;
  }
}

// How far ahead the stream of packed weights is fetched into L2 and into L1, in bytes: two steps,
// because the fill buffers of L1 are too few for the latency of memory. 2048 x 5632 Q4_K on one
// core of a Xeon VM: 0.86 of the read probe with L1 alone at its best distance, 0.92 with both.
// Addresses may lie behind the end: a prefetch cannot fault.
constexpr std::size_t kNear = 1024;
constexpr std::size_t kFar = 5120;

template <std::size_t kBytes>
EDGELM_AVX2_INLINE void prefetch_stream(const std::byte* group) {
  const char* const from = reinterpret_cast<const char*>(group);
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kBytes; i += 64) {
    _mm_prefetch(from + kFar + i, _MM_HINT_T1);
    _mm_prefetch(from + kNear + i, _MM_HINT_T0);
  }
}

// Writes the outputs of up to eight rows.
EDGELM_AVX2_INLINE void store_rows(float* out, std::size_t count, __m256 values, bool accumulate) {
  if (count >= kPanelRows) {
    if (accumulate) values = _mm256_add_ps(_mm256_loadu_ps(out), values);
    _mm256_storeu_ps(out, values);
    return;
  }
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
  if (accumulate) values = _mm256_add_ps(_mm256_maskload_ps(out, mask), values);
  _mm256_maskstore_ps(out, mask, values);
}

}  // namespace edgelm::kernels

#endif
