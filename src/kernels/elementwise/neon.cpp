// Elementwise kernels on NEON. What does not fill a vector goes through the same vector code in a
// padded buffer, so that an element's bits never depend on its position.

#include <cstring>

#include "kernels/elementwise/elementwise.h"
#include "kernels/elementwise/exp_neon.h"

#ifdef EDGELM_ARM
namespace edgelm::kernels {
namespace {

constexpr std::size_t kLanes = 4;

inline float32x4_t silu_mul(float32x4_t gate, float32x4_t up) {
  const float32x4_t x = vmaxq_f32(gate, vdupq_n_f32(-128.0f));  // NaN passes; clamp: see scalar.cpp
  const float32x4_t one = vdupq_n_f32(1.0f);
  const float32x4_t e = exp_nonpositive(vnegq_f32(vabsq_f32(x)));
  const float32x4_t numerator = vbslq_f32(vcltzq_f32(x), e, one);
  const float32x4_t silu = vdivq_f32(vmulq_f32(x, numerator), vaddq_f32(one, e));
  return vmulq_f32(silu, up);
}

inline void store_halves(std::uint16_t* out, float32x4_t x) {
  vst1_u16(out, vreinterpret_u16_f16(vcvt_f16_f32(x)));
}

}  // namespace

void silu_mul_neon(const float* gate, const float* up, std::size_t n, float* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    vst1q_f32(out + i, silu_mul(vld1q_f32(gate + i), vld1q_f32(up + i)));
  if (i == n) return;
  float padded_gate[kLanes] = {};
  float padded_up[kLanes] = {};
  std::memcpy(padded_gate, gate + i, (n - i) * sizeof(float));
  std::memcpy(padded_up, up + i, (n - i) * sizeof(float));
  vst1q_f32(padded_gate, silu_mul(vld1q_f32(padded_gate), vld1q_f32(padded_up)));
  std::memcpy(out + i, padded_gate, (n - i) * sizeof(float));
}

void add_neon(float* x, const float* y, std::size_t n) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    vst1q_f32(x + i, vaddq_f32(vld1q_f32(x + i), vld1q_f32(y + i)));
  for (; i < n; ++i) x[i] += y[i];
}

void to_half_neon(const float* x, std::size_t n, std::uint16_t* out) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store_halves(out + i, vld1q_f32(x + i));
  if (i == n) return;
  float padded[kLanes] = {};
  std::uint16_t halves[kLanes];
  std::memcpy(padded, x + i, (n - i) * sizeof(float));
  store_halves(halves, vld1q_f32(padded));
  std::memcpy(out + i, halves, (n - i) * sizeof(std::uint16_t));
}

}  // namespace edgelm::kernels
#endif
