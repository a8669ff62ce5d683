// The specification of attention over one span: three plain passes per row, sums in float64. The
// vector versions are tested against it within bounds computed from the data.

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "kernels/attention/attention.h"

namespace edgelm::kernels {
namespace {

template <class Kv>
void attend_row(const AttentionArgs& a, std::size_t row, float* weights) {
  const KvHead& kv = a.kv;
  const std::size_t visible = a.positions[row / a.rows_per_token] + std::size_t{1};
  const std::size_t end = std::max(a.begin, std::min(a.end, visible));
  const float* q = a.q + row * kv.k_dim;
  float max = -FLT_MAX;
  for (std::size_t p = a.begin; p < end; ++p) {
    double dot = 0;
    for (std::size_t d = 0; d < kv.k_dim; ++d)
      dot += static_cast<double>(q[d]) * static_cast<double>(Kv::key(kv, p, d));
    weights[p - a.begin] = static_cast<float>(dot);
    max = std::max(max, weights[p - a.begin]);
  }
  double sum = 0;
  for (std::size_t p = a.begin; p < end; ++p) {
    weights[p - a.begin] = std::exp(weights[p - a.begin] - max);  // at most 1: no overflow
    sum += static_cast<double>(weights[p - a.begin]);
  }
  a.partial.max[row] = max;
  a.partial.sum[row] = static_cast<float>(sum);
  float* out = a.partial.out + row * attention_out_stride(kv.v_dim);
  for (std::size_t d = 0; d < kv.v_dim; ++d) {
    double value = 0;
    for (std::size_t p = a.begin; p < end; ++p)
      value += static_cast<double>(weights[p - a.begin]) * static_cast<double>(Kv::value(kv, p, d));
    out[d] = static_cast<float>(value);
  }
}

template <class Kv>
void attend(const AttentionArgs& a) {
  float weights[kAttentionSpan];
  for (std::size_t row = 0; row < a.n_rows; ++row) attend_row<Kv>(a, row, weights);
}

}  // namespace

void attention_f16_scalar(const AttentionArgs& args) { attend<KvF16>(args); }
void attention_q8_0_scalar(const AttentionArgs& args) { attend<KvQ8_0>(args); }

}  // namespace edgelm::kernels
