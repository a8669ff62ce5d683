#pragma once
// Helps an architecture file state its hyperparameters, weights and layers in a few lines each. The
// first error sticks: later calls return harmless values, and finish() reports it. So an
// architecture reads as a list of facts, not as a list of checks.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/arch.h"

namespace edgelm::arch {

class Builder {
 public:
  explicit Builder(const formats::GgufFile& file);

  // --- hyperparameters, keys below "<architecture>."; values outside [min, max] are errors
  // --------
  std::uint32_t number(std::string_view key, std::uint64_t min, std::uint64_t max);
  std::uint32_t number_or(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                          std::uint64_t max);
  // One value for all layers or an array with one per layer.
  std::vector<std::uint32_t> per_layer(std::string_view key, std::uint32_t n_layers,
                                       std::optional<std::vector<std::uint32_t>> fallback,
                                       std::uint64_t min, std::uint64_t max);
  float real_or(std::string_view key, double fallback, double min, double max);
  float real(std::string_view key, double min, double max);

  // What every decoder of the llama family has: sizes, heads, epsilon, RoPE, vocabulary.
  Hparams decoder_hparams(plan::RopeLayout layout);

  // --- weights: id of a tensor of exactly this shape
  // ----------------------------------------------
  plan::WeightId matrix(std::string_view name, std::uint64_t cols, std::uint64_t rows);
  plan::WeightId vector(std::string_view name, std::uint64_t size);  // F32
  std::optional<plan::WeightId> optional_vector(std::string_view name, std::uint64_t size);
  [[nodiscard]] bool has(std::string_view name) const;

  // --- the plan
  // -----------------------------------------------------------------------------------
  plan::BufferId buffer(std::string_view name, std::uint32_t width, bool per_logit_row = false);
  template <class Operation>
  void add(Operation operation) {
    plan_.ops.emplace_back(std::move(operation));
  }
  plan::Plan& plan() { return plan_; }

  void reject(Error error);  // remembers the first one
  Result<Description> finish(Hparams hparams);

 private:
  [[nodiscard]] std::string full_key(std::string_view key) const;
  template <class T>
  T take(Result<T> value, T fallback);
  std::uint32_t check_range(std::string_view key, std::uint64_t value, std::uint64_t min,
                            std::uint64_t max);
  plan::WeightId add_weight(const tensor::TensorView& tensor);
  void read_rope(Hparams& hparams, plan::RopeLayout layout);

  const formats::GgufFile& file_;
  std::string architecture_;
  std::optional<Error> error_;
  plan::Plan plan_;
};

}  // namespace edgelm::arch
