// Elementwise kernels on AVX2. What does not fill a vector goes through the same vector code in a
// padded buffer, so that an element's bits never depend on its position.

#include <cstring>

#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/exp_avx2.h"

#ifdef EDGELM_X86
namespace edgelm::kernels {
namespace {

constexpr std::size_t kLanes = 8;

EDGELM_AVX2_INLINE __m256 silu_mul(__m256 gate, __m256 up) {
  // max returns its second operand when either is NaN, so NaN passes. See scalar.cpp for the clamp.
  const __m256 x = _mm256_max_ps(_mm256_set1_ps(-128.0f), gate);
  const __m256 one = _mm256_set1_ps(1.0f);
  const __m256 e = exp_nonpositive(_mm256_or_ps(x, _mm256_set1_ps(-0.0f)));
  const __m256 numerator = _mm256_blendv_ps(one, e, x);  // by the sign bit of x
  const __m256 silu = _mm256_div_ps(_mm256_mul_ps(x, numerator), _mm256_add_ps(one, e));
  return _mm256_mul_ps(silu, up);
}

}  // namespace

EDGELM_AVX2 void silu_mul_avx2(const float* gate, const float* up, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    _mm256_storeu_ps(out + i, silu_mul(_mm256_loadu_ps(gate + i), _mm256_loadu_ps(up + i)));
  if (i == n) return;
  float padded_gate[kLanes] = {};
  float padded_up[kLanes] = {};
  std::memcpy(padded_gate, gate + i, (n - i) * sizeof(float));
  std::memcpy(padded_up, up + i, (n - i) * sizeof(float));
  _mm256_storeu_ps(padded_gate, silu_mul(_mm256_loadu_ps(padded_gate), _mm256_loadu_ps(padded_up)));
  std::memcpy(out + i, padded_gate, (n - i) * sizeof(float));
}

EDGELM_AVX2 void add_avx2(float* x, const float* y, std::size_t n) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    _mm256_storeu_ps(x + i, _mm256_add_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
  for (; i < n; ++i) x[i] += y[i];
}

EDGELM_AVX2 void to_half_avx2(const float* x, std::size_t n, std::uint16_t* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT));
  if (i == n) return;
  float padded[kLanes] = {};
  std::uint16_t halves[kLanes];
  std::memcpy(padded, x + i, (n - i) * sizeof(float));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(halves),
                   _mm256_cvtps_ph(_mm256_loadu_ps(padded), _MM_FROUND_TO_NEAREST_INT));
  std::memcpy(out + i, halves, (n - i) * sizeof(std::uint16_t));
}

}  // namespace edgelm::kernels
#endif
