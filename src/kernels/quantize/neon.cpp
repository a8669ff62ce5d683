// Activation quantization with NEON; same bits as the specification in scalar.cpp.

#include "base/target.h"

#ifdef EDGELM_ARM

#include <cfloat>

#include "kernels/quantize/quantize.h"

namespace edgelm::kernels {
namespace {

inline float32x4_t load_finite(const float* x) {
  const float32x4_t raw = vld1q_f32(x);
  const float32x4_t number =  // NaN -> 0
      vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(raw), vceqq_f32(raw, raw)));
  return vmaxq_f32(vminq_f32(number, vdupq_n_f32(FLT_MAX)), vdupq_n_f32(-FLT_MAX));
}

inline float largest_magnitude(const float32x4_t (&v)[8]) {
  float32x4_t max = vabsq_f32(v[0]);
  for (int i = 1; i < 8; ++i) max = vmaxq_f32(max, vabsq_f32(v[i]));
  return vmaxvq_f32(max);
}

// Eight rounded values; they lie in [-127, 127], so the narrowing never saturates.
inline int8x8_t round_eight(float32x4_t a, float32x4_t b, float inverse) {
  const int16x4_t low = vqmovn_s32(vcvtnq_s32_f32(vmulq_n_f32(a, inverse)));
  return vqmovn_s16(vqmovn_high_s32(low, vcvtnq_s32_f32(vmulq_n_f32(b, inverse))));
}

}  // namespace

void quantize_neon(const float* x, std::size_t n, std::int8_t* q, float* scale, float* scaled_sum) {
  for (std::size_t group = 0; group < n / 32; ++group) {
    float32x4_t v[8];
    for (std::size_t i = 0; i < 8; ++i) v[i] = load_finite(x + group * 32 + i * 4);
    const float max = largest_magnitude(v);
    const bool zero = max < kQuantizeTiny;
    const float inverse = zero ? 0 : 127 / max;
    const int8x16_t low =
        vcombine_s8(round_eight(v[0], v[1], inverse), round_eight(v[2], v[3], inverse));
    const int8x16_t high =
        vcombine_s8(round_eight(v[4], v[5], inverse), round_eight(v[6], v[7], inverse));
    vst1q_s8(q + group * 32, low);
    vst1q_s8(q + group * 32 + 16, high);
    scale[group] = zero ? 0 : max / 127;
    const int sum = vaddlvq_s8(low) + vaddlvq_s8(high);
    scaled_sum[group] = scale[group] * static_cast<float>(sum);
  }
}

}  // namespace edgelm::kernels

#endif
