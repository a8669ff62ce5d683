#pragma once
// exp of eight floats <= 0 on AVX2, for SiLU and softmax (both are written so that the argument is
// never positive: no overflow to handle). Error below one ulp; results under 2^-124 flush to zero;
// exp(-inf) = 0; NaN stays NaN.

#include "base/target.h"

#ifdef EDGELM_X86
namespace edgelm::kernels {

// exp(x) = 2^n * exp(r), n = round(x / ln 2), |r| <= ln(2) / 2. ln 2 is taken in two parts, the
// first short enough that n * hi is exact (Cody and Waite 1980). exp(r) = 1 + r + r^2 p(r); p
// interpolates (exp(r) - 1 - r) / r^2 at the five Chebyshev nodes, relative error of exp 1.0e-8
// (0.09 ulp).
EDGELM_AVX2_INLINE __m256 exp_nonpositive(__m256 x) {
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(0x1.715476p+0f)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0x1.63p-1f), x);
  r = _mm256_fmadd_ps(n, _mm256_set1_ps(0x1.bd0106p-13f), r);
  __m256 p = _mm256_set1_ps(0x1.6d117cp-10f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.120be2p-7f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.555518p-5f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0x1.5554dcp-3f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
  const __m256 mantissa =
      _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), _mm256_set1_ps(1.0f));
  const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
  const __m256 result =
      _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(mantissa), exponent));
  const __m256 keep = _mm256_cmp_ps(x, _mm256_set1_ps(-86.0f), _CMP_NLT_UQ);  // true for NaN
  return _mm256_and_ps(result, keep);
}

}  // namespace edgelm::kernels
#endif
