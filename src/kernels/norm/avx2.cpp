// RMSNorm on AVX2: four float64 accumulators of four lanes, folded in a fixed order.

#include <cmath>
#include <cstring>

#include "kernels/norm/norm.h"

#ifdef EDGELM_X86
namespace edgelm::kernels {
namespace {

EDGELM_AVX2_INLINE void add_squares(__m256 x, __m256d& low_sum, __m256d& high_sum) {
  const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(x));
  const __m256d high = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
  low_sum = _mm256_fmadd_pd(low, low, low_sum);
  high_sum = _mm256_fmadd_pd(high, high, high_sum);
}

EDGELM_AVX2_INLINE double horizontal_sum(__m256d x) {
  const __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
  return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
}

EDGELM_AVX2 double sum_of_squares(const float* x, std::size_t n) {
  __m256d a = _mm256_setzero_pd(), b = a, c = a, d = a;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    add_squares(_mm256_loadu_ps(x + i), a, b);
    add_squares(_mm256_loadu_ps(x + i + 8), c, d);
  }
  if (i < n) {
    float padded[16] = {};
    std::memcpy(padded, x + i, (n - i) * sizeof(float));
    add_squares(_mm256_loadu_ps(padded), a, b);
    add_squares(_mm256_loadu_ps(padded + 8), c, d);
  }
  return horizontal_sum(_mm256_add_pd(_mm256_add_pd(a, b), _mm256_add_pd(c, d)));
}

}  // namespace

EDGELM_AVX2 void rms_norm_avx2(const float* x, const float* weight, std::size_t n, float eps,
                               float* out) {
  const double mean = sum_of_squares(x, n) / static_cast<double>(n);
  const float factor = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(eps)));
  const __m256 factors = _mm256_set1_ps(factor);
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(x + i), factors);
    _mm256_storeu_ps(out + i, _mm256_mul_ps(scaled, _mm256_loadu_ps(weight + i)));
  }
  for (; i < n; ++i) out[i] = x[i] * factor * weight[i];
}

}  // namespace edgelm::kernels
#endif
