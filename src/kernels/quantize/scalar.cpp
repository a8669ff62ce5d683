// Specification of activation quantization; see quantize.h.

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels/quantize/quantize.h"

namespace edgelm::kernels {
namespace {

float finite(float x) {
  if (std::isnan(x)) return 0;
  return std::clamp(x, -FLT_MAX, FLT_MAX);
}

}  // namespace

void quantize_scalar(const float* x, std::size_t n, std::int8_t* q, float* scale,
                     float* scaled_sum) {
  for (std::size_t group = 0; group < n / 32; ++group) {
    float max = 0;
    for (std::size_t j = 0; j < 32; ++j) max = std::max(max, std::fabs(finite(x[group * 32 + j])));
    const bool zero = max < kQuantizeTiny;
    const float inverse = zero ? 0 : 127 / max;
    int sum = 0;
    for (std::size_t j = 0; j < 32; ++j) {
      const float rounded = std::nearbyint(finite(x[group * 32 + j]) * inverse);
      q[group * 32 + j] = static_cast<std::int8_t>(rounded);
      sum += q[group * 32 + j];
    }
    scale[group] = zero ? 0 : max / 127;
    scaled_sum[group] = scale[group] * static_cast<float>(sum);
  }
}

}  // namespace edgelm::kernels
