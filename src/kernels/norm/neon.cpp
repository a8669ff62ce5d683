// RMSNorm on NEON: four float64 accumulators of two lanes, folded in a fixed order.

#include <cmath>
#include <cstring>

#include "kernels/norm/norm.h"

#ifdef EDGELM_ARM
namespace edgelm::kernels {
namespace {

inline void add_squares(float32x4_t x, float64x2_t& low_sum, float64x2_t& high_sum) {
  const float64x2_t low = vcvt_f64_f32(vget_low_f32(x));
  const float64x2_t high = vcvt_high_f64_f32(x);
  low_sum = vfmaq_f64(low_sum, low, low);
  high_sum = vfmaq_f64(high_sum, high, high);
}

double sum_of_squares(const float* x, std::size_t n) {
  float64x2_t a = vdupq_n_f64(0), b = a, c = a, d = a;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    add_squares(vld1q_f32(x + i), a, b);
    add_squares(vld1q_f32(x + i + 4), c, d);
  }
  if (i < n) {
    float padded[8] = {};
    std::memcpy(padded, x + i, (n - i) * sizeof(float));
    add_squares(vld1q_f32(padded), a, b);
    add_squares(vld1q_f32(padded + 4), c, d);
  }
  return vaddvq_f64(vaddq_f64(vaddq_f64(a, b), vaddq_f64(c, d)));
}

}  // namespace

void rms_norm_neon(const float* x, const float* weight, std::size_t n, float eps, float* out) {
  const double mean = sum_of_squares(x, n) / static_cast<double>(n);
  const float factor = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(eps)));
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    const float32x4_t scaled = vmulq_n_f32(vld1q_f32(x + i), factor);
    vst1q_f32(out + i, vmulq_f32(scaled, vld1q_f32(weight + i)));
  }
  for (; i < n; ++i) out[i] = x[i] * factor * weight[i];
}

}  // namespace edgelm::kernels
#endif
