// The specification of the elementwise kernels; the vector versions are tested against it.

#include <cmath>

#include "base/half.h"
#include "kernels/elementwise/elementwise.h"

namespace edgelm::kernels {
namespace {

// Written with exp(-|x|), which cannot overflow. Below -128 the true value is smaller than the
// smallest float, so the clamp changes nothing but -inf, where it yields the limit.
float silu(float x) {
  const float clamped = x < -128.0f ? -128.0f : x;
  const float e = std::exp(-std::fabs(clamped));
  return clamped * (clamped < 0 ? e : 1.0f) / (1.0f + e);
}

}  // namespace

void silu_mul_scalar(const float* gate, const float* up, std::size_t n, float* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = silu(gate[i]) * up[i];
}

void add_scalar(float* x, const float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] += y[i];
}

void to_half_scalar(const float* x, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = float_to_half(x[i]);
}

}  // namespace edgelm::kernels
