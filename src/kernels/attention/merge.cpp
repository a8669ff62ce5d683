// Partial results of spans into attention. Portable code without fused multiply-adds: all
// instruction sets share it, and it is some thousandth of the work.

#include <algorithm>
#include <cmath>

#include "kernels/attention/attention.h"

namespace edgelm::kernels {

void merge_partials(std::size_t n_rows, std::size_t v_dim, const AttentionPartial& next,
                    const AttentionPartial& merged) {
  const std::size_t stride = attention_out_stride(v_dim);
  for (std::size_t row = 0; row < n_rows; ++row) {
    const float max = std::max(merged.max[row], next.max[row]);
    const float old_factor = std::exp(merged.max[row] - max);
    const float new_factor = std::exp(next.max[row] - max);
    merged.max[row] = max;
    merged.sum[row] = merged.sum[row] * old_factor + next.sum[row] * new_factor;
    float* out = merged.out + row * stride;
    const float* other = next.out + row * stride;
    for (std::size_t d = 0; d < v_dim; ++d) out[d] = out[d] * old_factor + other[d] * new_factor;
  }
}

void finish_row(const AttentionPartial& partial, std::size_t row, std::size_t v_dim, float* out) {
  const float inverse = 1.0F / partial.sum[row];
  const float* from = partial.out + row * attention_out_stride(v_dim);
  for (std::size_t d = 0; d < v_dim; ++d) out[d] = from[d] * inverse;
}

}  // namespace edgelm::kernels
