#pragma once
// Contract of the elementwise family. An element's result depends on its inputs alone, never on
// where it falls in a vector or a tail, so any split of the work gives the same bits.
//
//   silu_mul: out[i] = gate[i] / (1 + exp(-gate[i])) * up[i]. out may be gate. Between instruction
//             sets within a few ulp; terms of |gate * up| * 2^-124 and less may flush to zero.
//             silu(-inf) = -0, the limit; silu(+inf) = +inf; NaN stays NaN.
//   add:      x[i] += y[i]. Same bits everywhere.
//   to_half:  binary16, round to nearest even, overflow to infinity, NaN stays a quiet NaN. Same
//             bits everywhere. out does not overlap x.
//
// Over-read: none. Alignment: none.

#include <cstddef>
#include <cstdint>

#include "base/target.h"

namespace edgelm::kernels {

using SiluMulFn = void (*)(const float* gate, const float* up, std::size_t n, float* out);
using AddFn = void (*)(float* x, const float* y, std::size_t n);
using ToHalfFn = void (*)(const float* x, std::size_t n, std::uint16_t* out);

void silu_mul_scalar(const float* gate, const float* up, std::size_t n, float* out);
void add_scalar(float* x, const float* y, std::size_t n);
void to_half_scalar(const float* x, std::size_t n, std::uint16_t* out);
#ifdef EDGELM_X86
void silu_mul_avx2(const float* gate, const float* up, std::size_t n, float* out);
void add_avx2(float* x, const float* y, std::size_t n);
void to_half_avx2(const float* x, std::size_t n, std::uint16_t* out);
#endif
#ifdef EDGELM_ARM
void silu_mul_neon(const float* gate, const float* up, std::size_t n, float* out);
void add_neon(float* x, const float* y, std::size_t n);
void to_half_neon(const float* x, std::size_t n, std::uint16_t* out);
#endif

}  // namespace edgelm::kernels
