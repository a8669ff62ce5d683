#pragma once
// A llama-architecture model in double, in straight loops over dequantized weights: the reference
// for log-likelihoods. Shares nothing with the engine but the GGUF reader and the decoders of
// tensor types; slow, so for small models alone.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/gguf.h"

namespace edgelm::test {

class Float64Model {
 public:
  // Throws std::runtime_error for a file that is not of this shape: a broken test.
  explicit Float64Model(const formats::GgufFile& file);

  // Logits after every id: logits[p] predicts the id at p + 1.
  [[nodiscard]] std::vector<std::vector<double>> logits(std::span<const std::int32_t> ids) const;

  // ln P(ids[first..] | ids[..first)), natural; `greedy` whether each was the most likely id.
  struct Likelihood {
    double sum = 0;
    bool greedy = true;
  };
  [[nodiscard]] Likelihood likelihood(std::span<const std::int32_t> ids, std::size_t first) const;

 private:
  struct Matrix {
    std::size_t rows = 0, cols = 0;
    std::vector<double> values;  // (rows, cols)
  };
  struct Layer {
    Matrix attn_norm, q, k, v, o, ffn_norm, gate, up, down;
  };

  static Matrix read(const formats::GgufFile& file, const std::string& name);

  std::size_t n_embd_ = 0, n_heads_ = 0, n_kv_heads_ = 0, head_dim_ = 0;
  double epsilon_ = 0, theta_ = 0;
  Matrix embedding_, output_norm_, output_;
  std::vector<Layer> layers_;
};

// ln of the softmax of logits at `id`.
double log_softmax(std::span<const double> logits, std::int32_t id);

}  // namespace edgelm::test
