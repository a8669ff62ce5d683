// Keys into layers, tensors into parts. Every number is checked before it is used.

#include "predict/gguf_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "base/checked.h"
#include "base/printable.h"
#include "formats/gguf_types.h"

namespace edgelm::predict {
namespace {

using formats::GgufFile;
using formats::GgufTensorInfo;

constexpr std::uint32_t kMostLayers = 4096;
constexpr std::uint64_t kMostWidth = 1U << 22U;  // of any dimension that a key gives

class Header {
 public:
  explicit Header(const GgufFile& file) : file_(file) {}

  Status open() {
    EDGELM_TRY_ASSIGN(const std::string_view name, file_.string("general.architecture"));
    architecture = std::string(name);
    return {};
  }

  // ARCH.key in [low, high].
  Result<std::uint64_t> number(std::string_view key, std::uint64_t low, std::uint64_t high) const {
    EDGELM_TRY_ASSIGN(const std::uint64_t value, file_.u64(full(key)));
    return in_range(key, value, low, high);
  }
  Result<std::uint64_t> number_or(std::string_view key, std::uint64_t fallback,
                                  std::uint64_t high) const {
    if (file_.find(full(key)) == nullptr) return fallback;
    return number(key, 0, high);
  }
  bool has(std::string_view key) const { return file_.find(full(key)) != nullptr; }

  // One number for all layers, or an array with one per layer.
  Result<std::vector<std::uint64_t>> per_layer(std::string_view key, std::uint32_t n_layers,
                                               std::uint64_t fallback) const {
    const formats::GgufValue* value = file_.find(full(key));
    if (value == nullptr) return std::vector<std::uint64_t>(n_layers, fallback);
    const auto* array = std::get_if<formats::GgufArray>(&value->value);
    if (array == nullptr) {
      EDGELM_TRY_ASSIGN(const std::uint64_t one, number(key, 0, kMostWidth));
      return std::vector<std::uint64_t>(n_layers, one);
    }
    if (array->count < n_layers || array->count > kMostLayers)
      return fail(ErrorCode::kFormat, "{}: '{}' has {} values, expected {}", file_.path(),
                  printable(full(key)), array->count, n_layers);
    const std::vector<double> numbers = array->numbers();
    if (numbers.size() < n_layers)
      return fail(ErrorCode::kFormat, "{}: '{}' is no array of numbers", file_.path(),
                  printable(full(key)));
    std::vector<std::uint64_t> result;
    result.reserve(n_layers);
    for (std::uint32_t i = 0; i < n_layers; ++i) {
      const double v = numbers[i];
      if (!(v >= 0) || v > static_cast<double>(kMostWidth) || v != std::floor(v))
        return fail(ErrorCode::kFormat, "{}: '{}' of layer {} is {}, expected 0 to {}",
                    file_.path(), printable(full(key)), i, v, kMostWidth);
      result.push_back(static_cast<std::uint64_t>(v));
    }
    return result;
  }

  std::string architecture;

 private:
  std::string full(std::string_view key) const { return fmt::format("{}.{}", architecture, key); }

  Result<std::uint64_t> in_range(std::string_view key, std::uint64_t value, std::uint64_t low,
                                 std::uint64_t high) const {
    if (value < low || value > high)
      return fail(ErrorCode::kFormat, "{}: '{}' is {}, expected {} to {}", file_.path(),
                  printable(full(key)), value, low, high);
    return value;
  }

  const GgufFile& file_;
};

// Architectures whose headers give a window but not which layers have one: every n-th sees all.
std::uint32_t global_every(std::string_view architecture) {
  if (architecture == "gemma2" || architecture == "gpt-oss") return 2;
  if (architecture == "gemma3" || architecture == "gemma3n" || architecture == "gemma4") return 6;
  if (architecture == "cohere2") return 4;
  return 0;  // all layers have it: mistral's first models, phi3
}

Status add_layers(const Header& header, Model& model) {
  const std::uint32_t n = model.n_layers;
  EDGELM_TRY_ASSIGN(const std::vector<std::uint64_t> heads,
                    header.per_layer("attention.head_count", n, 0));
  EDGELM_TRY_ASSIGN(std::vector<std::uint64_t> kv_heads,
                    header.per_layer("attention.head_count_kv", n, kMostWidth + 1));
  const std::uint64_t most_heads = *std::max_element(heads.begin(), heads.end());
  // Models without attention (mamba, rwkv) keep no positions.
  if (most_heads == 0) return {};
  const std::uint64_t even = model.n_embd / most_heads;
  EDGELM_TRY_ASSIGN(const std::uint64_t k_dim,
                    header.number_or("attention.key_length", even, kMostWidth));
  EDGELM_TRY_ASSIGN(const std::uint64_t v_dim,
                    header.number_or("attention.value_length", even, kMostWidth));
  EDGELM_TRY_ASSIGN(const std::uint64_t latent,
                    header.number_or("attention.kv_lora_rank", 0, kMostWidth));
  EDGELM_TRY_ASSIGN(const std::uint64_t rotated,
                    header.number_or("rope.dimension_count", 0, kMostWidth));
  EDGELM_TRY_ASSIGN(const std::uint64_t window,
                    header.number_or("attention.sliding_window", 0, 1U << 30U));
  EDGELM_TRY_ASSIGN(const std::vector<std::uint64_t> pattern,
                    header.per_layer("attention.sliding_window_pattern", n, kMostWidth + 1));
  EDGELM_TRY_ASSIGN(const std::uint64_t attention_every,
                    header.number_or("full_attention_interval", 0, kMostLayers));
  const std::uint32_t every = global_every(header.architecture);
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint64_t kv = kv_heads[i] > kMostWidth ? heads[i] : kv_heads[i];
    if (kv == 0 || heads[i] == 0) continue;  // a convolution or a recurrent layer
    if (attention_every > 1 && (i + 1) % attention_every != 0) continue;
    KvOfLayer layer;
    if (latent > 0) {
      layer.elements = static_cast<std::uint32_t>(latent + rotated);
      layer.macs_per_pair = heads[i] * (2 * latent + rotated);
    } else {
      const auto elements = checked_mul(kv, k_dim + v_dim);
      if (!elements || *elements > UINT32_MAX)
        return fail(ErrorCode::kFormat, "layer {}: {} KV heads of {} and {} dims are too many", i,
                    kv, k_dim, v_dim);
      layer.elements = static_cast<std::uint32_t>(*elements);
      layer.macs_per_pair = heads[i] * (k_dim + v_dim);
    }
    bool windowed = window > 0;
    if (windowed && pattern[i] <= kMostWidth)
      windowed = pattern[i] != 0;
    else if (windowed && every > 0)
      windowed = (i + 1) % every != 0;
    layer.window = windowed ? static_cast<std::uint32_t>(window) : 0;
    model.kv.push_back(layer);
  }
  model.activation_floats +=
      most_heads * k_dim + 2 * (kv_heads[0] > kMostWidth ? most_heads : kv_heads[0]) * k_dim;
  return {};
}

Part part_of(std::string_view name) {
  const auto contains = [&](std::string_view what) {
    return name.find(what) != std::string_view::npos;
  };
  if (name.starts_with("token_embd.") || name.starts_with("per_layer_token_embd."))
    return Part::kEmbedding;
  if (name.starts_with("output.")) return Part::kHead;
  if (contains("_exps.")) return Part::kExperts;
  if (contains(".ffn_")) return Part::kFeedForward;
  if (contains(".attn_") || contains(".ssm_") || contains(".shortconv") || contains(".time_mix"))
    return Part::kAttention;
  return Part::kOther;
}

Status add_tensors(const std::vector<GgufTensorInfo>& tensors, const std::string& path,
                   double expert_share, Model& model) {
  bool has_head = false;
  for (const GgufTensorInfo& tensor : tensors)
    has_head = has_head || tensor.name == "output.weight";
  struct Key {
    Part part;
    std::uint32_t type;
    bool operator<(const Key& other) const {
      return part != other.part ? part < other.part : type < other.type;
    }
  };
  std::map<Key, Weights> groups;
  for (const GgufTensorInfo& tensor : tensors) {
    Part part = part_of(tensor.name);
    if (part == Part::kEmbedding && !has_head && tensor.name == "token_embd.weight")
      part = Part::kHead;  // tied: the table is the head as well
    Weights& w = groups[{part, tensor.type_id}];
    w.part = part;
    w.type = formats::tensor_type_label(tensor.type_id);
    const auto elements = checked_add(w.elements, tensor.shape.elements());
    const auto bytes = checked_add(w.bytes, tensor.bytes);
    if (!elements || !bytes)
      return fail(ErrorCode::kFormat, "{}: the tensors overflow 64 bits", path);
    w.elements = *elements;
    w.bytes = *bytes;
    w.share = part == Part::kEmbedding ? 0 : part == Part::kExperts ? expert_share : 1;
  }
  std::uint64_t most = 0;
  model.weights.reserve(groups.size());
  for (const auto& [key, w] : groups) {
    model.weights.push_back(w);
    if (w.bytes > most && key.part != Part::kEmbedding && key.part != Part::kHead) {
      most = w.bytes;
      model.type = w.type;
    }
  }
  return {};
}

// Recurrent and convolution state; only the common kinds are told.
Status add_state(const Header& header, std::uint64_t layers_without_kv, Model& model) {
  EDGELM_TRY_ASSIGN(const std::uint64_t conv, header.number_or("shortconv.l_cache", 0, kMostWidth));
  EDGELM_TRY_ASSIGN(const std::uint64_t inner, header.number_or("ssm.inner_size", 0, kMostWidth));
  EDGELM_TRY_ASSIGN(const std::uint64_t state, header.number_or("ssm.state_size", 0, kMostWidth));
  EDGELM_TRY_ASSIGN(const std::uint64_t kernel, header.number_or("ssm.conv_kernel", 0, kMostWidth));
  const double per_layer = static_cast<double>(conv) * model.n_embd +
                           static_cast<double>(inner) * static_cast<double>(state + kernel);
  const double bytes = per_layer * static_cast<double>(layers_without_kv) * sizeof(float);
  if (bytes > 1e12)
    return fail(ErrorCode::kFormat, "the recurrent state would take {:.3g} bytes", bytes);
  model.state_bytes = static_cast<std::uint64_t>(bytes);
  return {};
}

}  // namespace

Result<Model> model_of_gguf(const GgufFile& file, const std::string& name, std::uint64_t file_bytes,
                            const GgufParts& more) {
  std::vector<GgufTensorInfo> tensors(file.tensor_infos().begin(), file.tensor_infos().end());
  for (const GgufFile& part : more)
    tensors.insert(tensors.end(), part.tensor_infos().begin(), part.tensor_infos().end());
  if (tensors.empty())
    return fail(ErrorCode::kFormat, "{}: the header lists no tensors; a vocabulary is no model",
                file.path());
  Header header(file);
  EDGELM_TRY(header.open());
  Model model;
  model.name = name;
  model.architecture = header.architecture;
  model.origin = "GGUF header";
  EDGELM_TRY_ASSIGN(const std::uint64_t layers, header.number("block_count", 1, kMostLayers));
  EDGELM_TRY_ASSIGN(const std::uint64_t width, header.number("embedding_length", 1, kMostWidth));
  EDGELM_TRY_ASSIGN(const std::uint64_t context, header.number_or("context_length", 0, UINT32_MAX));
  EDGELM_TRY_ASSIGN(const std::uint64_t experts, header.number_or("expert_count", 0, 1U << 16U));
  EDGELM_TRY_ASSIGN(const std::uint64_t used, header.number_or("expert_used_count", 0, 1U << 16U));
  if (used > experts || (experts > 0 && used == 0))
    return fail(ErrorCode::kFormat, "{}: {} of {} experts are used, expected 1 to {}", file.path(),
                used, experts, experts);
  model.n_layers = static_cast<std::uint32_t>(layers);
  model.n_embd = static_cast<std::uint32_t>(width);
  model.context_length = static_cast<std::uint32_t>(context);
  EDGELM_TRY_ASSIGN(const std::vector<std::uint64_t> ff,
                    header.per_layer("feed_forward_length", model.n_layers, 0));
  const std::uint64_t widest_ff = *std::max_element(ff.begin(), ff.end());
  model.activation_floats = 2 * width + 2 * widest_ff;
  model.widest_input = std::max(width, widest_ff);
  EDGELM_TRY(add_layers(header, model));
  const double expert_share =
      experts > 0 ? static_cast<double>(used) / static_cast<double>(experts) : 1.0;
  EDGELM_TRY(add_tensors(tensors, file.path(), expert_share, model));
  for (const GgufTensorInfo& tensor : tensors)
    if (tensor.name == "token_embd.weight")
      model.n_vocab =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(tensor.shape.rows(), UINT32_MAX));
  EDGELM_TRY(
      add_state(header, model.n_layers - std::min<std::size_t>(model.kv.size(), layers), model));

  std::uint64_t end = 0;
  for (const GgufTensorInfo& tensor : file.tensor_infos())
    end = std::max(end, tensor.offset + tensor.bytes);  // the reader has checked the sum
  model.file_bytes = std::max(end, file_bytes);
  // The header of the first part of several lists that part's tensors alone: the rest is like them.
  const auto parts = file.u64_or("split.count", 1);
  if (parts && *parts > 1 && file.n_parts() == 1 && more.empty() && file_bytes > end && end > 0) {
    const double factor = static_cast<double>(file_bytes) / static_cast<double>(end);
    for (Weights& w : model.weights) {
      w.elements = static_cast<std::uint64_t>(static_cast<double>(w.elements) * factor);
      w.bytes = static_cast<std::uint64_t>(static_cast<double>(w.bytes) * factor);
    }
    model.notes.push_back(fmt::format(
        "the header is of the first of {} parts: weights are taken to be alike in all", *parts));
  }
  return model;
}

}  // namespace edgelm::predict
