// Rotary embedding on NEON: separate multiplies and adds, as the contract asks, for equal bits.

#include "kernels/rope/rope.h"

#ifdef EDGELM_ARM
namespace edgelm::kernels {
namespace {

inline void rotate(float32x4_t& a, float32x4_t& b, float32x4_t cos, float32x4_t sin) {
  const float32x4_t rotated_a = vsubq_f32(vmulq_f32(a, cos), vmulq_f32(b, sin));
  b = vaddq_f32(vmulq_f32(a, sin), vmulq_f32(b, cos));
  a = rotated_a;
}

}  // namespace

void rope_interleaved_neon(float* head, std::size_t n_rot, const float* cos, const float* sin) {
  std::size_t i = 0;
  for (; i + 4 <= n_rot / 2; i += 4) {
    float32x4x2_t pairs = vld2q_f32(head + 2 * i);  // splits a and b
    rotate(pairs.val[0], pairs.val[1], vld1q_f32(cos + i), vld1q_f32(sin + i));
    vst2q_f32(head + 2 * i, pairs);
  }
  rope_interleaved_scalar(head + 2 * i, n_rot - 2 * i, cos + i, sin + i);
}

void rope_half_neon(float* head, std::size_t n_rot, const float* cos, const float* sin) {
  const std::size_t half = n_rot / 2;
  float* low = head;
  float* high = head + half;
  std::size_t i = 0;
  for (; i + 4 <= half; i += 4) {
    float32x4_t a = vld1q_f32(low + i);
    float32x4_t b = vld1q_f32(high + i);
    rotate(a, b, vld1q_f32(cos + i), vld1q_f32(sin + i));
    vst1q_f32(low + i, a);
    vst1q_f32(high + i, b);
  }
  for (; i < half; ++i) {
    const float a = low[i];
    low[i] = a * cos[i] - high[i] * sin[i];
    high[i] = a * sin[i] + high[i] * cos[i];
  }
}

}  // namespace edgelm::kernels
#endif
