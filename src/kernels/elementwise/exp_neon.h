#pragma once
// exp of four floats <= 0 on NEON: the same formula and constants as exp_avx2.h, see there. Results
// under 2^-124 flush to zero; exp(-inf) = 0; NaN stays NaN.

#include "base/target.h"

#ifdef EDGELM_ARM
namespace edgelm::kernels {

inline float32x4_t exp_nonpositive(float32x4_t x) {
  const float32x4_t n = vrndnq_f32(vmulq_n_f32(x, 0x1.715476p+0f));
  float32x4_t r = vfmsq_f32(x, n, vdupq_n_f32(0x1.63p-1f));
  r = vfmaq_f32(r, n, vdupq_n_f32(0x1.bd0106p-13f));
  float32x4_t p = vfmaq_f32(vdupq_n_f32(0x1.120be2p-7f), vdupq_n_f32(0x1.6d117cp-10f), r);
  p = vfmaq_f32(vdupq_n_f32(0x1.555518p-5f), p, r);
  p = vfmaq_f32(vdupq_n_f32(0x1.5554dcp-3f), p, r);
  p = vfmaq_f32(vdupq_n_f32(0.5f), p, r);
  const float32x4_t mantissa = vaddq_f32(vfmaq_f32(r, p, vmulq_f32(r, r)), vdupq_n_f32(1.0f));
  const int32x4_t exponent = vshlq_n_s32(vcvtnq_s32_f32(n), 23);
  const uint32x4_t result =
      vreinterpretq_u32_s32(vaddq_s32(vreinterpretq_s32_f32(mantissa), exponent));
  const uint32x4_t flush = vcltq_f32(x, vdupq_n_f32(-86.0f));  // false for NaN
  return vreinterpretq_f32_u32(vbicq_u32(result, flush));
}

}  // namespace edgelm::kernels
#endif
