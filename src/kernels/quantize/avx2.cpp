// Activation quantization with AVX2; same bits as the specification in scalar.cpp.

#include "base/target.h"

#ifdef EDGELM_X86

#include <cfloat>

#include "kernels/quantize/quantize.h"

namespace edgelm::kernels {
namespace {

EDGELM_AVX2_INLINE __m256 load_finite(const float* x) {
  const __m256 raw = _mm256_loadu_ps(x);
  const __m256 number = _mm256_and_ps(raw, _mm256_cmp_ps(raw, raw, _CMP_ORD_Q));  // NaN -> 0
  const __m256 limit = _mm256_set1_ps(FLT_MAX);
  return _mm256_max_ps(_mm256_min_ps(number, limit), _mm256_set1_ps(-FLT_MAX));
}

EDGELM_AVX2_INLINE float largest_magnitude(const __m256 (&v)[4]) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  const __m256 ab = _mm256_max_ps(_mm256_andnot_ps(sign, v[0]), _mm256_andnot_ps(sign, v[1]));
  const __m256 cd = _mm256_max_ps(_mm256_andnot_ps(sign, v[2]), _mm256_andnot_ps(sign, v[3]));
  const __m256 all = _mm256_max_ps(ab, cd);
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

EDGELM_AVX2_INLINE int sum_of_bytes(__m256i bytes) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
  const __m256i quads = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(quads), _mm256_extracti128_si256(quads, 1));
  four = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 1)));
}

}  // namespace

EDGELM_AVX2 void quantize_avx2(const float* x, std::size_t n, std::int8_t* q, float* scale,
                               float* scaled_sum) {
  const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (std::size_t group = 0; group < n / 32; ++group) {
    const float* in = x + group * 32;
    const __m256 v[4] = {load_finite(in), load_finite(in + 8), load_finite(in + 16),
                         load_finite(in + 24)};
    const float max = largest_magnitude(v);
    const bool zero = max < kQuantizeTiny;
    const __m256 inverse = _mm256_set1_ps(zero ? 0 : 127 / max);
    const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(v[0], inverse));
    const __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(v[1], inverse));
    const __m256i c = _mm256_cvtps_epi32(_mm256_mul_ps(v[2], inverse));
    const __m256i d = _mm256_cvtps_epi32(_mm256_mul_ps(v[3], inverse));
    // The packs interleave 128-bit halves; one permutation puts the bytes back in order.
    const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    const __m256i bytes = _mm256_permutevar8x32_epi32(packed, in_order);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(q + group * 32), bytes);
    scale[group] = zero ? 0 : max / 127;
    scaled_sum[group] = scale[group] * static_cast<float>(sum_of_bytes(bytes));
  }
}

}  // namespace edgelm::kernels

#endif
