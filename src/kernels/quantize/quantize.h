#pragma once
// Contract of the quantize family: float32 activations -> int8 in groups of 32, for matmul with
// quantized weights. Bit-exact on every instruction set. For each group of 32:
//
//   x'         = x, but 0 for NaN and +-FLT_MAX for +-infinity
//   max        = largest |x'|
//   scale      = max / 127
//   q          = x' * (127 / max), rounded to nearest, ties to even: in [-127, 127]
//   scaled_sum = scale * sum(q)
//
// in float32; all outputs are 0 when max < kQuantizeTiny (127 / max must not overflow). `n` is a
// multiple of 32. No alignment assumed, no over-read.

#include <cstddef>
#include <cstdint>

namespace edgelm::kernels {

constexpr float kQuantizeTiny = 0x1p-100f;

void quantize_scalar(const float* x, std::size_t n, std::int8_t* q, float* scale,
                     float* scaled_sum);
void quantize_avx2(const float* x, std::size_t n, std::int8_t* q, float* scale, float* scaled_sum);
void quantize_neon(const float* x, std::size_t n, std::int8_t* q, float* scale, float* scaled_sum);

}  // namespace edgelm::kernels
