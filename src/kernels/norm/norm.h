#pragma once
// Contract of the norm family: out[i] = x[i] / sqrt(mean(x^2) + eps) * weight[i]  (RMSNorm, Zhang
// and Sennrich 2019, equation 4). x, weight and out are (n); n >= 1. out may be x itself, no other
// overlap.
//
// The squares are summed in float64: the sum cannot overflow for finite x, and its rounding error
// is far below one float ulp, so all instruction sets agree within one ulp of the common factor. At
// 0.1 to 0.3 microseconds a row the wider sum costs nothing that a token would notice. The factor
// is rounded to float once; out = (x * factor) * weight in float. A NaN in x spreads
// to all; an infinity gives NaN in its own place and zeros elsewhere.
//
// Over-read: none. Alignment: none.

#include <cstddef>

#include "base/target.h"

namespace edgelm::kernels {

using RmsNormFn = void (*)(const float* x, const float* weight, std::size_t n, float eps,
                           float* out);

void rms_norm_scalar(const float* x, const float* weight, std::size_t n, float eps, float* out);
#ifdef EDGELM_X86
void rms_norm_avx2(const float* x, const float* weight, std::size_t n, float eps, float* out);
#endif
#ifdef EDGELM_ARM
void rms_norm_neon(const float* x, const float* weight, std::size_t n, float eps, float* out);
#endif

}  // namespace edgelm::kernels
