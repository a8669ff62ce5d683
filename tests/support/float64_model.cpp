// Formulas: RMSNorm (Zhang and Sennrich 2019), rotary embedding over neighbouring pairs (Su et al.
// 2021), grouped-query attention (Ainslie et al. 2023), SwiGLU (Shazeer 2020).

#include "support/float64_model.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "tensor/dtype.h"

namespace edgelm::test {
namespace {

using Vector = std::vector<double>;

Vector multiply(std::size_t rows, std::size_t cols, const Vector& matrix, const Vector& x) {
  Vector out(rows);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c) out[r] += matrix[r * cols + c] * x[c];
  return out;
}

Vector rms_norm(const Vector& x, const Vector& weight, double epsilon) {
  double squares = 0;
  for (const double value : x) squares += value * value;
  const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + epsilon);
  Vector out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale * weight[i];
  return out;
}

void rotate(Vector& x, std::size_t n_heads, std::size_t dim, std::size_t position, double theta) {
  for (std::size_t head = 0; head < n_heads; ++head) {
    for (std::size_t i = 0; i < dim; i += 2) {
      const double angle = static_cast<double>(position) *
                           std::pow(theta, -static_cast<double>(i) / static_cast<double>(dim));
      double& a = x[head * dim + i];
      double& b = x[head * dim + i + 1];
      const double rotated = a * std::cos(angle) - b * std::sin(angle);
      b = a * std::sin(angle) + b * std::cos(angle);
      a = rotated;
    }
  }
}

void add(Vector& x, const Vector& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

std::size_t whole(const formats::GgufFile& file, const char* key) {
  return static_cast<std::size_t>(file.u64(std::string("llama.") + key).value());
}

}  // namespace

Float64Model::Matrix Float64Model::read(const formats::GgufFile& file, const std::string& name) {
  const tensor::TensorView* view = file.find_tensor(name);
  if (view == nullptr) throw std::runtime_error(name + " is missing");
  Matrix matrix;
  matrix.rows = static_cast<std::size_t>(view->shape.rows());
  matrix.cols = static_cast<std::size_t>(view->shape.cols());
  matrix.values.reserve(matrix.rows * matrix.cols);
  std::vector<float> row(matrix.cols);
  for (std::size_t r = 0; r < matrix.rows; ++r) {
    tensor::dtype_info(view->type).dequantize(view->row(r), row.size(), row.data());
    matrix.values.insert(matrix.values.end(), row.begin(), row.end());
  }
  return matrix;
}

Float64Model::Float64Model(const formats::GgufFile& file)
    : n_embd_(whole(file, "embedding_length")),
      n_heads_(whole(file, "attention.head_count")),
      n_kv_heads_(whole(file, "attention.head_count_kv")),
      head_dim_(n_embd_ / n_heads_),
      epsilon_(file.f64("llama.attention.layer_norm_rms_epsilon").value()),
      theta_(file.f64_or("llama.rope.freq_base", 10000).value()),
      embedding_(read(file, "token_embd.weight")),
      output_norm_(read(file, "output_norm.weight")),
      output_(file.find_tensor("output.weight") != nullptr ? read(file, "output.weight")
                                                           : embedding_) {
  const std::size_t n_layers = whole(file, "block_count");
  layers_.reserve(n_layers);
  for (std::size_t i = 0; i < n_layers; ++i) {
    const auto part = [&](const char* name) {
      return read(file, "blk." + std::to_string(i) + "." + name + ".weight");
    };
    layers_.push_back({part("attn_norm"), part("attn_q"), part("attn_k"), part("attn_v"),
                       part("attn_output"), part("ffn_norm"), part("ffn_gate"), part("ffn_up"),
                       part("ffn_down")});
  }
}

std::vector<std::vector<double>> Float64Model::logits(std::span<const std::int32_t> ids) const {
  const std::size_t kv_width = n_kv_heads_ * head_dim_;
  const auto times = [](const Matrix& matrix, const Vector& x) {
    return multiply(matrix.rows, matrix.cols, matrix.values, x);
  };
  std::vector<Vector> hidden;
  hidden.reserve(ids.size());
  for (const std::int32_t id : ids) {
    const auto row = embedding_.values.begin() +
                     static_cast<std::ptrdiff_t>(id) * static_cast<std::ptrdiff_t>(n_embd_);
    hidden.emplace_back(row, row + static_cast<std::ptrdiff_t>(n_embd_));
  }
  for (const Layer& layer : layers_) {
    std::vector<Vector> keys, values;
    keys.reserve(ids.size());
    values.reserve(ids.size());
    for (std::size_t p = 0; p < ids.size(); ++p) {
      const Vector x = rms_norm(hidden[p], layer.attn_norm.values, epsilon_);
      Vector q = times(layer.q, x);
      Vector k = times(layer.k, x);
      rotate(q, n_heads_, head_dim_, p, theta_);
      rotate(k, n_kv_heads_, head_dim_, p, theta_);
      keys.push_back(std::move(k));
      values.push_back(times(layer.v, x));
      Vector mixed(n_embd_);
      for (std::size_t head = 0; head < n_heads_; ++head) {
        const std::size_t kv = head / (n_heads_ / n_kv_heads_) * head_dim_;
        Vector weights(p + 1);
        for (std::size_t t = 0; t <= p; ++t) {
          for (std::size_t i = 0; i < head_dim_; ++i)
            weights[t] += q[head * head_dim_ + i] * keys[t][kv + i];
          weights[t] /= std::sqrt(static_cast<double>(head_dim_));
        }
        const double largest = *std::max_element(weights.begin(), weights.end());
        double sum = 0;
        for (double& weight : weights) sum += weight = std::exp(weight - largest);
        for (std::size_t t = 0; t <= p; ++t)
          for (std::size_t i = 0; i < head_dim_; ++i)
            mixed[head * head_dim_ + i] += weights[t] / sum * values[t][kv + i];
      }
      add(hidden[p], times(layer.o, mixed));
      const Vector y = rms_norm(hidden[p], layer.ffn_norm.values, epsilon_);
      Vector gate = times(layer.gate, y);
      const Vector up = times(layer.up, y);
      for (std::size_t i = 0; i < gate.size(); ++i)
        gate[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
      add(hidden[p], times(layer.down, gate));
    }
    if (keys[0].size() != kv_width) throw std::runtime_error("keys of another width");
  }
  std::vector<std::vector<double>> rows;
  rows.reserve(ids.size());
  for (const Vector& x : hidden)
    rows.push_back(times(output_, rms_norm(x, output_norm_.values, epsilon_)));
  return rows;
}

double log_softmax(std::span<const double> logits, std::int32_t id) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - largest);
  return logits[static_cast<std::size_t>(id)] - largest - std::log(sum);
}

Float64Model::Likelihood Float64Model::likelihood(std::span<const std::int32_t> ids,
                                                  std::size_t first) const {
  const auto rows = logits(ids.first(ids.size() - 1));
  Likelihood result;
  for (std::size_t p = first - 1; p + 1 < ids.size(); ++p) {
    result.sum += log_softmax(rows[p], ids[p + 1]);
    result.greedy = result.greedy && std::max_element(rows[p].begin(), rows[p].end()) ==
                                         rows[p].begin() + ids[p + 1];
  }
  return result;
}

}  // namespace edgelm::test
