// The specification of RMSNorm; the vector versions are tested against it.

#include <cmath>

#include "kernels/norm/norm.h"

namespace edgelm::kernels {

void rms_norm_scalar(const float* x, const float* weight, std::size_t n, float eps, float* out) {
  double squares = 0;
  for (std::size_t i = 0; i < n; ++i) squares += static_cast<double>(x[i]) * x[i];
  const double mean = squares / static_cast<double>(n);
  const float factor = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(eps)));
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * factor * weight[i];
}

}  // namespace edgelm::kernels
