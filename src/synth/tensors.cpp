// The inventory of llama, qwen2 and qwen3, as src/arch reads it.

#include "synth/tensors.h"

#include <cmath>
#include <map>
#include <numbers>

namespace edgelm::synth {
namespace {

constexpr double kInitialRms = 0.02;  // "initializer_range" in the config.json of most of these
constexpr std::string_view kRopeFreqs = "rope_freqs.weight";

// Llama 3.1's long-context scaling, as its reference code (llama_models, apply_scaling) defines it:
// what each rotary frequency is divided by.
std::vector<float> llama3_rope_factors(const ModelShape& shape) {
  constexpr double kOriginalContext = 8192;
  constexpr double kLowFactor = 1;
  constexpr double kHighFactor = 4;
  std::vector<float> factors;
  factors.reserve(shape.head_dim / 2);
  for (std::uint32_t i = 0; i < shape.head_dim; i += 2) {
    const double frequency = std::pow(double{shape.rope_base}, -double{1} * i / shape.head_dim);
    const double wavelength = 2 * std::numbers::pi / frequency;
    const double smooth = (kOriginalContext / wavelength - kLowFactor) / (kHighFactor - kLowFactor);
    double factor = 1;
    if (wavelength > kOriginalContext / kLowFactor) {
      factor = double{shape.llama3_rope_factor};
    } else if (wavelength >= kOriginalContext / kHighFactor) {
      factor = 1 / ((1 - smooth) / double{shape.llama3_rope_factor} + smooth);
    }
    factors.push_back(static_cast<float>(factor));
  }
  return factors;
}

// `found(name, wanted type, actual type)` hears of every matrix.
class Inventory {
 public:
  explicit Inventory(const Recipe& recipe) : recipe_(recipe), shape_(recipe.shape) {}

  std::vector<TensorSpec> list() {
    if (!shape_.tied) matrix("output", Role::kOutput, shape_.n_embd, shape_.n_vocab);
    matrix("token_embd", shape_.tied ? Role::kOutput : Role::kEmbedding, shape_.n_embd,
           shape_.n_vocab);
    if (shape_.llama3_rope_factor != 0) {
      const std::vector<float> factors = llama3_rope_factors(shape_);
      tensors_.push_back({.name = std::string(kRopeFreqs),
                          .shape = {{factors.size(), 1, 1, 1}, 1},
                          .values = factors});
    }
    for (layer_ = 0; layer_ < recipe_.n_layers; ++layer_) layer();
    vector("output_norm.weight", shape_.n_embd, 1, 0.1);
    return std::move(tensors_);
  }

  // Actual types by the wanted ones they replace.
  [[nodiscard]] const std::map<std::pair<tensor::DType, tensor::DType>, int>& replaced() const {
    return replaced_;
  }

 private:
  void matrix(std::string_view name, Role role, std::uint64_t cols, std::uint64_t rows) {
    const tensor::DType wanted = wanted_type(recipe_.mix, role, layer_, shape_.n_layers);
    const tensor::DType type = fitting_type(wanted, cols);
    if (type != wanted) ++replaced_[{wanted, type}];
    tensors_.push_back({.name = fmt::format("{}.weight", name),
                        .type = type,
                        .shape = {{cols, rows, 1, 1}, 2},
                        .rms = kInitialRms});
  }

  void vector(std::string name, std::uint64_t size, double mean, double rms) {
    tensors_.push_back(
        {.name = std::move(name), .shape = {{size, 1, 1, 1}, 1}, .mean = mean, .rms = rms});
  }

  void layer() {
    const auto name = [this](const char* part) { return fmt::format("blk.{}.{}", layer_, part); };
    const std::uint64_t q_width = std::uint64_t{shape_.n_heads} * shape_.head_dim;
    const std::uint64_t kv_width = std::uint64_t{shape_.n_kv_heads} * shape_.head_dim;
    vector(name("attn_norm.weight"), shape_.n_embd, 1, 0.1);
    matrix(name("attn_q"), Role::kOther, shape_.n_embd, q_width);
    matrix(name("attn_k"), Role::kOther, shape_.n_embd, kv_width);
    matrix(name("attn_v"), Role::kAttnV, shape_.n_embd, kv_width);
    if (shape_.family == Family::kQwen2) {
      vector(name("attn_q.bias"), q_width, 0, 0.1);
      vector(name("attn_k.bias"), kv_width, 0, 0.1);
      vector(name("attn_v.bias"), kv_width, 0, 0.1);
    }
    if (shape_.family == Family::kQwen3) {
      vector(name("attn_q_norm.weight"), shape_.head_dim, 1, 0.1);
      vector(name("attn_k_norm.weight"), shape_.head_dim, 1, 0.1);
    }
    matrix(name("attn_output"), Role::kOther, q_width, shape_.n_embd);
    vector(name("ffn_norm.weight"), shape_.n_embd, 1, 0.1);
    matrix(name("ffn_gate"), Role::kOther, shape_.n_embd, shape_.n_ff);
    matrix(name("ffn_up"), Role::kOther, shape_.n_embd, shape_.n_ff);
    matrix(name("ffn_down"), Role::kFfnDown, shape_.n_ff, shape_.n_embd);
  }

  const Recipe& recipe_;
  const ModelShape& shape_;
  std::uint32_t layer_ = 0;
  std::vector<TensorSpec> tensors_;
  std::map<std::pair<tensor::DType, tensor::DType>, int> replaced_;
};

}  // namespace

std::vector<TensorSpec> list_tensors(const Recipe& recipe) { return Inventory(recipe).list(); }

std::uint64_t count_parameters(const std::vector<TensorSpec>& tensors) {
  std::uint64_t total = 0;
  for (const TensorSpec& tensor : tensors)
    if (tensor.name != kRopeFreqs) total += tensor.shape.elements();
  return total;
}

std::string replaced_types(const Recipe& recipe) {
  Inventory inventory(recipe);
  inventory.list();
  std::string line;
  for (const auto& [types, count] : inventory.replaced())
    fmt::format_to(std::back_inserter(line), "{}{} {} in place of {}", line.empty() ? "" : ", ",
                   count, tensor::dtype_info(types.second).name,
                   tensor::dtype_info(types.first).name);
  if (line.empty()) return line;
  return fmt::format("rows that are not whole blocks: {}, as llama.cpp's quantizer does", line);
}

}  // namespace edgelm::synth
