// Checked access to header and tensors for the architecture files.

#include "arch/builder.h"

#include <cmath>
#include <limits>

namespace edgelm::arch {
namespace {

// Far above any real model, low enough that products of two fit in 64 bits with room to spare.
constexpr std::uint64_t kMaxWidth = 1U << 20;
constexpr std::uint64_t kMaxLayers = 4096;
constexpr std::uint64_t kMaxHeads = 4096;
constexpr std::uint64_t kMaxHeadDim = 512;  // the attention kernels' bound
constexpr std::uint64_t kMaxContext = 1U << 28;

std::string shape_of(std::uint64_t cols, std::uint64_t rows) {
  return rows == 1 ? fmt::format("{}", cols) : fmt::format("{}x{}", cols, rows);
}

}  // namespace

Builder::Builder(const formats::GgufFile& file) : file_(file) {
  architecture_ = std::string(take(file.string("general.architecture"), std::string_view{}));
}

std::string Builder::full_key(std::string_view key) const {
  return fmt::format("{}.{}", architecture_, key);
}

void Builder::reject(Error error) {
  if (!error_) error_ = std::move(error);
}

template <class T>
T Builder::take(Result<T> value, T fallback) {
  if (value) return *value;
  reject(std::move(value).error());
  return fallback;
}

std::uint32_t Builder::check_range(std::string_view key, std::uint64_t value, std::uint64_t min,
                                   std::uint64_t max) {
  if (value >= min && value <= max) return static_cast<std::uint32_t>(value);
  reject({ErrorCode::kFormat, fmt::format("{}: key '{}' is {}, expected {} to {}", file_.path(),
                                          full_key(key), value, min, max)});
  return static_cast<std::uint32_t>(min);
}

std::uint32_t Builder::number(std::string_view key, std::uint64_t min, std::uint64_t max) {
  return check_range(key, take(file_.u64(full_key(key)), min), min, max);
}

std::uint32_t Builder::number_or(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                                 std::uint64_t max) {
  return check_range(key, take(file_.u64_or(full_key(key), fallback), min), min, max);
}

std::vector<std::uint32_t> Builder::per_layer(std::string_view key, std::uint32_t n_layers,
                                              std::optional<std::vector<std::uint32_t>> fallback,
                                              std::uint64_t min, std::uint64_t max) {
  const formats::GgufValue* value = file_.find(full_key(key));
  if (value == nullptr && fallback) return *fallback;
  const auto* array = value == nullptr ? nullptr : std::get_if<formats::GgufArray>(&value->value);
  if (array == nullptr) return std::vector<std::uint32_t>(n_layers, number(key, min, max));
  const std::vector<double> numbers = array->numbers();
  if (numbers.size() != n_layers)
    reject(
        {ErrorCode::kFormat, fmt::format("{}: key '{}' has {} numbers, expected one per layer: {}",
                                         file_.path(), full_key(key), numbers.size(), n_layers)});
  std::vector<std::uint32_t> result(n_layers, static_cast<std::uint32_t>(min));
  for (std::size_t i = 0; i < std::min<std::size_t>(n_layers, numbers.size()); ++i) {
    // Negative or fractional numbers fall out of every range.
    const bool whole =
        numbers[i] >= 0 && numbers[i] <= 1e15 && numbers[i] == std::floor(numbers[i]);
    result[i] = check_range(
        key,
        whole ? static_cast<std::uint64_t>(numbers[i]) : std::numeric_limits<std::uint64_t>::max(),
        min, max);
  }
  return result;
}

float Builder::real_or(std::string_view key, double fallback, double min, double max) {
  const double value = take(file_.f64_or(full_key(key), fallback), fallback);
  if (value >= min && value <= max) return static_cast<float>(value);
  reject({ErrorCode::kFormat, fmt::format("{}: key '{}' is {}, expected {} to {}", file_.path(),
                                          full_key(key), value, min, max)});
  return static_cast<float>(fallback);
}

float Builder::real(std::string_view key, double min, double max) {
  if (auto value = file_.f64(full_key(key)); !value) reject(std::move(value).error());
  return real_or(key, min, min, max);
}

Hparams Builder::decoder_hparams(plan::RopeLayout layout) {
  Hparams hparams;
  hparams.architecture = architecture_;
  hparams.name = std::string(take(file_.string_or("general.name", ""), std::string_view{}));
  hparams.context_length = number("context_length", 1, kMaxContext);
  hparams.n_embd = number("embedding_length", 1, kMaxWidth);
  hparams.n_layers = number("block_count", 1, kMaxLayers);
  hparams.n_ff = per_layer("feed_forward_length", hparams.n_layers, std::nullopt, 1, kMaxWidth);
  hparams.n_heads = per_layer("attention.head_count", hparams.n_layers, std::nullopt, 1, kMaxHeads);
  hparams.n_kv_heads =
      per_layer("attention.head_count_kv", hparams.n_layers, hparams.n_heads, 1, kMaxHeads);
  for (std::uint32_t layer = 0; layer < hparams.n_layers; ++layer)
    if (hparams.n_heads[layer] % hparams.n_kv_heads[layer] != 0)
      reject({ErrorCode::kFormat,
              fmt::format("{}: layer {} has {} query heads for {} KV heads, expected a multiple",
                          file_.path(), layer, hparams.n_heads[layer], hparams.n_kv_heads[layer])});
  const std::uint32_t split = hparams.n_embd / hparams.n_heads[0];
  hparams.k_dim = number_or("attention.key_length", split, 4, kMaxHeadDim);
  hparams.v_dim = number_or("attention.value_length", split, 4, kMaxHeadDim);
  if (hparams.k_dim % 4 != 0 || hparams.v_dim % 4 != 0)
    reject({ErrorCode::kUnsupported,
            fmt::format("{}: head sizes {} (keys) and {} (values), expected multiples of 4",
                        file_.path(), hparams.k_dim, hparams.v_dim)});
  hparams.rms_epsilon = real("attention.layer_norm_rms_epsilon", 0, 1);
  if (number_or("expert_count", 0, 0, 1U << 16) != 0)
    reject(
        {ErrorCode::kUnsupported, fmt::format("{}: '{}' with experts (mixture of experts) is not "
                                              "supported yet",
                                              file_.path(), architecture_)});
  read_rope(hparams, layout);

  const tensor::TensorView* table = file_.find_tensor("token_embd.weight");
  const std::uint64_t rows = table == nullptr ? 1 : table->shape.rows();
  if (rows > std::numeric_limits<std::int32_t>::max())
    reject({ErrorCode::kFormat, fmt::format("{}: tensor 'token_embd.weight' has {} rows, more than "
                                            "token ids can count",
                                            file_.path(), rows)});
  hparams.n_vocab = static_cast<std::uint32_t>(rows);
  if (const formats::GgufValue* tokens = file_.find("tokenizer.ggml.tokens")) {
    const auto* array = std::get_if<formats::GgufArray>(&tokens->value);
    if (table != nullptr && array != nullptr && array->count != rows)
      reject({ErrorCode::kFormat,
              fmt::format("{}: the vocabulary has {} tokens, but tensor 'token_embd.weight' has {} "
                          "rows",
                          file_.path(), array->count, rows)});
  }
  return hparams;
}

void Builder::read_rope(Hparams& hparams, plan::RopeLayout layout) {
  hparams.rope.layout = layout;
  hparams.rope.n_rot = number_or("rope.dimension_count", hparams.k_dim, 2, hparams.k_dim);
  if (hparams.rope.n_rot % 2 != 0)
    reject({ErrorCode::kFormat,
            fmt::format("{}: key '{}' is {}, expected an even number", file_.path(),
                        full_key("rope.dimension_count"), hparams.rope.n_rot)});
  hparams.rope.base = real_or("rope.freq_base", 10000, 1e-3, 1e12);
  const std::string_view scaling =
      take(file_.string_or(full_key("rope.scaling.type"), "none"), std::string_view("none"));
  if (scaling == "linear") {
    hparams.rope.scale = 1 / real_or("rope.scaling.factor", 1, 1e-3, 1e6);
  } else if (scaling != "none") {
    reject({ErrorCode::kUnsupported,
            fmt::format("{}: RoPE scaling of type '{}' is not supported yet (none and linear are)",
                        file_.path(), scaling)});
  } else if (file_.find(full_key("rope.scale_linear")) != nullptr) {  // the key's name until 2023
    hparams.rope.scale = 1 / real_or("rope.scale_linear", 1, 1e-3, 1e6);
  }
}

bool Builder::has(std::string_view name) const { return file_.find_tensor(name) != nullptr; }

plan::WeightId Builder::add_weight(const tensor::TensorView& tensor) {
  plan_.weights.push_back(tensor);
  return static_cast<plan::WeightId>(plan_.weights.size() - 1);
}

plan::WeightId Builder::matrix(std::string_view name, std::uint64_t cols, std::uint64_t rows) {
  const tensor::TensorView* tensor = file_.find_tensor(name);
  if (tensor == nullptr) {
    reject({ErrorCode::kFormat,
            fmt::format("{}: tensor '{}' is missing, architecture '{}' needs it ({})", file_.path(),
                        name, architecture_, shape_of(cols, rows))});
    return 0;
  }
  if (tensor->shape != tensor::Shape{{cols, rows, 1, 1}, 2}) {
    reject({ErrorCode::kFormat,
            fmt::format("{}: tensor '{}': {} {}, expected {}", file_.path(), name,
                        to_string(tensor->shape), tensor::dtype_info(tensor->type).name,
                        shape_of(cols, rows))});
    return 0;
  }
  return add_weight(*tensor);
}

plan::WeightId Builder::vector(std::string_view name, std::uint64_t size) {
  const plan::WeightId id = matrix(name, size, 1);
  const tensor::TensorView* tensor = file_.find_tensor(name);
  if (tensor != nullptr && tensor->type != tensor::DType::kF32)
    reject({ErrorCode::kUnsupported,
            fmt::format("{}: tensor '{}' is {}, expected F32 for norms and biases", file_.path(),
                        name, tensor::dtype_info(tensor->type).name)});
  return id;
}

std::optional<plan::WeightId> Builder::optional_vector(std::string_view name, std::uint64_t size) {
  if (!has(name)) return std::nullopt;
  return vector(name, size);
}

plan::BufferId Builder::buffer(std::string_view name, std::uint32_t width, bool per_logit_row) {
  plan_.buffers.push_back({std::string(name), width, per_logit_row});
  return static_cast<plan::BufferId>(plan_.buffers.size() - 1);
}

Result<Description> Builder::finish(Hparams hparams) {
  if (error_) return fail(std::move(*error_));
  return Description{std::move(hparams), std::move(plan_)};
}

}  // namespace edgelm::arch
