// Rotary embedding on AVX2: separate multiplies and adds, as the contract asks, for equal bits.

#include "kernels/rope/rope.h"

#ifdef EDGELM_X86
namespace edgelm::kernels {

// Four pairs a step: cos and sin are doubled to (c0 c0 c1 c1 ...), and addsub subtracts in the even
// lanes and adds in the odd ones.
EDGELM_AVX2 void rope_interleaved_avx2(float* head, std::size_t n_rot, const float* cos,
                                       const float* sin) {
  const std::size_t n_pairs = n_rot / 2;
  const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
  std::size_t i = 0;
  for (; i + 4 <= n_pairs; i += 4) {
    const __m256 c = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(cos + i)), twice);
    const __m256 s = _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(sin + i)), twice);
    const __m256 ab = _mm256_loadu_ps(head + 2 * i);
    const __m256 ba = _mm256_permute_ps(ab, 0b10110001);
    _mm256_storeu_ps(head + 2 * i, _mm256_addsub_ps(_mm256_mul_ps(ab, c), _mm256_mul_ps(ba, s)));
  }
  rope_interleaved_scalar(head + 2 * i, n_rot - 2 * i, cos + i, sin + i);
}

EDGELM_AVX2 void rope_half_avx2(float* head, std::size_t n_rot, const float* cos,
                                const float* sin) {
  const std::size_t half = n_rot / 2;
  float* low = head;
  float* high = head + half;
  std::size_t i = 0;
  for (; i + 8 <= half; i += 8) {
    const __m256 c = _mm256_loadu_ps(cos + i);
    const __m256 s = _mm256_loadu_ps(sin + i);
    const __m256 a = _mm256_loadu_ps(low + i);
    const __m256 b = _mm256_loadu_ps(high + i);
    _mm256_storeu_ps(low + i, _mm256_sub_ps(_mm256_mul_ps(a, c), _mm256_mul_ps(b, s)));
    _mm256_storeu_ps(high + i, _mm256_add_ps(_mm256_mul_ps(a, s), _mm256_mul_ps(b, c)));
  }
  for (; i < half; ++i) {
    const float a = low[i];
    low[i] = a * cos[i] - high[i] * sin[i];
    high[i] = a * sin[i] + high[i] * cos[i];
  }
}

}  // namespace edgelm::kernels
#endif
