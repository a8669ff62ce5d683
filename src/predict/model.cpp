// Sums over a model's description.

#include "predict/model.h"

#include <algorithm>
#include <utility>

namespace edgelm::predict {

std::uint64_t Model::parameters() const {
  std::uint64_t sum = 0;
  for (const Weights& w : weights) sum += w.elements;
  return sum;
}

std::uint64_t Model::weight_bytes() const {
  std::uint64_t sum = 0;
  for (const Weights& w : weights) sum += w.bytes;
  return sum;
}

std::uint64_t Model::embedding_bytes() const {
  std::uint64_t sum = 0;
  for (const Weights& w : weights)
    if (w.part == Part::kEmbedding) sum += w.bytes;
  return sum;
}

double Model::bytes_per_token() const {
  double sum = 0;
  for (const Weights& w : weights) sum += w.share * static_cast<double>(w.bytes);
  return sum;
}

double Model::active_parameters() const {
  double sum = 0;
  for (const Weights& w : weights) sum += w.share * static_cast<double>(w.elements);
  return sum;
}

double Model::prefill_parameters() const {
  double sum = 0;
  for (const Weights& w : weights)
    if (w.part != Part::kHead) sum += w.share * static_cast<double>(w.elements);
  return sum;
}

std::uint64_t Model::kv_bytes(std::uint64_t positions, double bytes_per_element) const {
  double elements = 0;
  for (const KvOfLayer& layer : kv) {
    const std::uint64_t kept =
        layer.window == 0 ? positions : std::min<std::uint64_t>(positions, layer.window);
    elements += static_cast<double>(layer.elements) * static_cast<double>(kept);
  }
  constexpr double kMost = 1e18;  // more than any memory, less than the type's limit
  return static_cast<std::uint64_t>(std::min(elements * bytes_per_element, kMost));
}

double Model::attention_macs(double positions) const {
  double sum = 0;
  for (const KvOfLayer& layer : kv) {
    const double seen = layer.window == 0 ? positions : std::min<double>(positions, layer.window);
    sum += static_cast<double>(layer.macs_per_pair) * seen;
  }
  return sum;
}

Result<double> kv_element_bytes(std::string_view kv_type) {
  struct Known {
    std::string_view name;
    double bytes;
  };
  constexpr Known kTypes[] = {{"f32", 4},          {"f16", 2},          {"bf16", 2},
                              {"q8_0", 34.0 / 32}, {"q5_1", 24.0 / 32}, {"q5_0", 22.0 / 32},
                              {"q4_1", 20.0 / 32}, {"q4_0", 18.0 / 32}};
  for (const Known& type : kTypes)
    if (type.name == kv_type) return type.bytes;
  return fail(
      ErrorCode::kUsage,
      "KV type '{:.32}' is unknown, expected f32, f16, bf16, q8_0, q5_1, q5_0, q4_1 or q4_0",
      kv_type);
}

Model model_of_figures(std::string name, std::string type, std::uint64_t parameters,
                       double bytes_per_token, std::uint64_t file_bytes) {
  Model model;
  model.name = std::move(name);
  model.origin = "figures";
  Weights weights{.part = Part::kOther,
                  .type = type,
                  .elements = parameters,
                  .bytes = static_cast<std::uint64_t>(std::max(bytes_per_token, 0.0)),
                  .share = 1};
  model.type = std::move(type);
  if (weights.bytes == 0) weights.bytes = file_bytes;
  model.weights.push_back(std::move(weights));
  model.file_bytes = file_bytes;
  model.notes.emplace_back("the model's shape is not known: cache and attention are left out");
  return model;
}

}  // namespace edgelm::predict
