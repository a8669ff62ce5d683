// The specification of attention: three plain passes per head, sums in float64. The vector versions
// are tested against it within bounds computed from the data.

#include <algorithm>
#include <cmath>

#include "base/half.h"
#include "kernels/attention/attention.h"

namespace edgelm::kernels {
namespace {

const std::uint16_t* row(const AttentionArgs& a, std::size_t position, std::size_t offset,
                         std::size_t dim) {
  return a.blocks[position / a.block_tokens] + offset + position % a.block_tokens * dim;
}

void attend(const AttentionArgs& a, const float* q, float* weights, float* out) {
  float max = -INFINITY;
  for (std::size_t p = 0; p < a.n_positions; ++p) {
    const std::uint16_t* k = row(a, p, a.k_offset, a.k_dim);
    double dot = 0;
    for (std::size_t d = 0; d < a.k_dim; ++d)
      dot += static_cast<double>(q[d]) * half_to_float(k[d]);
    weights[p] = static_cast<float>(dot) * a.scale;
    max = std::max(max, weights[p]);
  }
  double sum = 0;
  for (std::size_t p = 0; p < a.n_positions; ++p) {
    weights[p] = std::exp(weights[p] - max);  // the largest becomes 1: no overflow, sum >= 1
    sum += weights[p];
  }
  for (std::size_t p = 0; p < a.n_positions; ++p) weights[p] = static_cast<float>(weights[p] / sum);
  for (std::size_t d = 0; d < a.v_dim; ++d) {
    double value = 0;
    for (std::size_t p = 0; p < a.n_positions; ++p)
      value += static_cast<double>(weights[p]) * half_to_float(row(a, p, a.v_offset, a.v_dim)[d]);
    out[d] = static_cast<float>(value);
  }
}

}  // namespace

void attention_scalar(const AttentionArgs& args) {
  for (std::size_t h = 0; h < args.n_heads; ++h)
    attend(args, args.q + h * args.k_dim, args.scores + h * args.score_stride,
           args.out + h * args.v_dim);
}

}  // namespace edgelm::kernels
