// The table of shapes, and the tensors that a shape has.

#include "predict/reference_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "predict/csv.h"
#include "predict/embedded.h"
#include "predict/mix.h"

namespace edgelm::predict {
namespace {

constexpr std::uint32_t kMlaValueDim = 128;  // of deepseek2 and plm
// Vocabulary, merges and scores of a header: 39 to 62 bytes per entry in published files.
constexpr std::uint64_t kHeaderBytesPerToken = 45;

// Adds tensors to a model, those of one part, type and share together.
class Layout {
 public:
  Layout(const ReferenceShape& shape, std::string_view mix, Model& model)
      : shape_(shape), mix_(mix), model_(model) {}

  struct Matrix {
    Part part = Part::kOther;
    MatrixRole role = MatrixRole::kOther;
    std::uint64_t rows = 0, cols = 0, count = 1;
    std::uint32_t layer = 0;
    double share = 1;
  };

  Status add(const Matrix& m) {
    const MatrixPlace place{.role = m.role,
                            .layer = m.layer,
                            .n_layers = shape_.n_layers,
                            .heads_per_kv = shape_.n_heads / shape_.n_kv_heads};
    EDGELM_TRY_ASSIGN(const std::string type, matrix_type(mix_, place, m.cols));
    return add_typed(m, type);
  }

  Status add_typed(const Matrix& m, const std::string& type) {
    EDGELM_TRY_ASSIGN(const formats::BlockGeometry geometry, geometry_of(type));
    const std::uint64_t elements = m.rows * m.cols * m.count;  // shapes are below 2^20 each
    const std::uint64_t bytes = m.rows * m.count * (m.cols / geometry.elements) * geometry.bytes;
    for (Weights& w : model_.weights) {
      if (w.part != m.part || w.type != type || w.share != m.share) continue;
      w.elements += elements;
      w.bytes += bytes;
      return {};
    }
    model_.weights.push_back({m.part, type, elements, bytes, m.share});
    return {};
  }

 private:
  const ReferenceShape& shape_;
  std::string_view mix_;
  Model& model_;
};

Status add_attention(const ReferenceShape& s, std::uint32_t layer, Layout& out) {
  const Part part = Part::kAttention;
  using enum MatrixRole;
  const std::uint64_t d = s.n_embd;
  if (layer < s.conv_layers) {
    EDGELM_TRY(out.add({.part = part, .rows = 3 * d, .cols = d, .layer = layer}));
    return out.add({.part = part, .rows = d, .cols = d, .layer = layer});
  }
  const std::uint64_t q = std::uint64_t{s.n_heads} * s.head_dim;
  if (s.kv_lora > 0) {
    const std::uint64_t values = std::uint64_t{s.n_heads} * kMlaValueDim;
    const std::uint64_t unrotated = std::uint64_t{s.n_heads} * (s.head_dim - s.rope_dim);
    EDGELM_TRY(out.add({.part = part, .rows = q, .cols = d, .layer = layer}));
    EDGELM_TRY(out.add({.part = part, .rows = s.kv_lora + s.rope_dim, .cols = d, .layer = layer}));
    EDGELM_TRY(
        out.add({.part = part, .rows = unrotated + values, .cols = s.kv_lora, .layer = layer}));
    return out.add({.part = part, .role = kAttnOut, .rows = d, .cols = values, .layer = layer});
  }
  const std::uint64_t kv = std::uint64_t{s.n_kv_heads} * s.head_dim;
  if (s.architecture == "phi3" || s.architecture == "mpt") {
    EDGELM_TRY(
        out.add({.part = part, .role = kAttnQkv, .rows = q + 2 * kv, .cols = d, .layer = layer}));
  } else {
    EDGELM_TRY(out.add({.part = part, .rows = q + kv, .cols = d, .layer = layer}));
    EDGELM_TRY(out.add({.part = part, .role = kAttnV, .rows = kv, .cols = d, .layer = layer}));
  }
  return out.add({.part = part, .role = kAttnOut, .rows = d, .cols = q, .layer = layer});
}

Status add_feed_forward(const ReferenceShape& s, std::uint32_t layer, Layout& out) {
  using enum MatrixRole;
  const std::uint64_t d = s.n_embd;
  const auto network = [&](Part part, std::uint64_t ff, std::uint64_t up, std::uint64_t down,
                           double share) -> Status {
    EDGELM_TRY(out.add(
        {.part = part, .rows = ff, .cols = d, .count = up, .layer = layer, .share = share}));
    return out.add({.part = part,
                    .role = kFfnDown,
                    .rows = d,
                    .cols = ff,
                    .count = down,
                    .layer = layer,
                    .share = share});
  };
  if (s.n_experts == 0 || layer < s.dense_layers)
    return network(Part::kFeedForward, s.n_ff, s.ff_matrices - 1, 1, 1);
  const double share = static_cast<double>(s.n_experts_used) / s.n_experts;
  EDGELM_TRY(network(Part::kExperts, s.expert_ff, 2ULL * s.n_experts, s.n_experts, share));
  EDGELM_TRY(out.add_typed({.part = Part::kOther, .rows = s.n_experts, .cols = d}, "F32"));
  if (s.shared_ff == 0) return {};
  return network(Part::kFeedForward, s.shared_ff, 2, 1, 1);
}

KvOfLayer kv_of_layer(const ReferenceShape& s, std::uint32_t layer) {
  if (s.kv_lora > 0)
    return {.elements = s.kv_lora + s.rope_dim,
            .window = 0,
            .macs_per_pair = std::uint64_t{s.n_heads} * (2ULL * s.kv_lora + s.rope_dim)};
  const bool whole = s.window == 0 || (layer + 1) % s.global_every == 0;
  return {.elements = 2 * s.n_kv_heads * s.head_dim,
          .window = whole ? 0 : s.window,
          .macs_per_pair = 2ULL * s.n_heads * s.head_dim};
}

}  // namespace

Result<std::vector<ReferenceShape>> parse_shapes(std::string_view csv, const std::string& name) {
  EDGELM_TRY_ASSIGN(const CsvTable table, CsvTable::parse(csv, name));
  std::vector<ReferenceShape> shapes;
  shapes.reserve(table.rows());
  for (std::size_t i = 0; i < table.rows(); ++i) {
    ReferenceShape s;
    EDGELM_TRY_ASSIGN(s.name, table.text(i, "name"));
    EDGELM_TRY_ASSIGN(s.architecture, table.text(i, "architecture"));
    EDGELM_TRY_ASSIGN(s.source, table.text(i, "source"));
    EDGELM_TRY_ASSIGN(const std::string tied, table.text(i, "tied"));
    s.tied = tied == "yes";
    struct Column {
      std::string_view name;
      std::uint32_t* value;
    };
    const Column columns[] = {{"layers", &s.n_layers},
                              {"embd", &s.n_embd},
                              {"ff", &s.n_ff},
                              {"ff_matrices", &s.ff_matrices},
                              {"heads", &s.n_heads},
                              {"kv_heads", &s.n_kv_heads},
                              {"head_dim", &s.head_dim},
                              {"vocab", &s.n_vocab},
                              {"context", &s.context_length},
                              {"experts", &s.n_experts},
                              {"experts_used", &s.n_experts_used},
                              {"expert_ff", &s.expert_ff},
                              {"shared_ff", &s.shared_ff},
                              {"dense_layers", &s.dense_layers},
                              {"kv_lora", &s.kv_lora},
                              {"rope_dim", &s.rope_dim},
                              {"window", &s.window},
                              {"global_every", &s.global_every},
                              {"conv_layers", &s.conv_layers}};
    for (const Column& column : columns) {
      EDGELM_TRY_ASSIGN(*column.value, table.count(i, column.name));
      if (*column.value > 1U << 20U)
        return fail(ErrorCode::kFormat, "{}: {}: {} {} is too large", name, s.name, column.name,
                    *column.value);
    }
    if (s.n_layers == 0 || s.n_embd == 0 || s.n_heads == 0 || s.n_kv_heads == 0 ||
        s.head_dim <= s.rope_dim || s.n_vocab == 0 || s.ff_matrices < 2 ||
        (s.window > 0 && s.global_every == 0))
      return fail(ErrorCode::kFormat, "{}: {}: a dimension that must not be 0 is", name, s.name);
    shapes.push_back(std::move(s));
  }
  return shapes;
}

const std::vector<ReferenceShape>& reference_shapes() {
  // Part of the program: a test holds that it parses.
  static const std::vector<ReferenceShape> kShapes =
      parse_shapes(embedded_models_csv(), "data/reference/models.csv")
          .value_or(std::vector<ReferenceShape>());
  return kShapes;
}

std::string reference_shape_names() {
  std::string names;
  for (const ReferenceShape& shape : reference_shapes()) {
    if (!names.empty()) names += ", ";
    names += shape.name;
  }
  return names;
}

Result<Model> lay_out(const ReferenceShape& s, std::string_view mix, bool copy_of_embedding) {
  Model model;
  model.name = fmt::format("{}:{}", s.name, mix);
  model.architecture = s.architecture;
  model.type = std::string(mix);
  model.origin = "published shape: " + s.source;
  model.n_layers = s.n_layers;
  model.n_embd = s.n_embd;
  model.n_vocab = s.n_vocab;
  model.context_length = s.context_length;
  const std::uint64_t q = std::uint64_t{s.n_heads} * s.head_dim;
  const std::uint64_t ff = std::max({s.n_ff, s.expert_ff * s.n_experts_used, s.shared_ff});
  model.activation_floats = 2ULL * s.n_embd + q + 2ULL * s.n_kv_heads * s.head_dim + 2 * ff;
  model.widest_input = std::max({std::uint64_t{s.n_embd}, q, ff});
  Layout layout(s, mix, model);
  const bool tied = s.tied && !copy_of_embedding;
  if (!tied)
    EDGELM_TRY(layout.add({.part = Part::kEmbedding,
                           .role = MatrixRole::kEmbedding,
                           .rows = s.n_vocab,
                           .cols = s.n_embd,
                           .share = 0}));
  EDGELM_TRY(layout.add(
      {.part = Part::kHead, .role = MatrixRole::kOutput, .rows = s.n_vocab, .cols = s.n_embd}));
  model.kv.reserve(s.n_layers);
  for (std::uint32_t layer = 0; layer < s.n_layers; ++layer) {
    EDGELM_TRY(add_attention(s, layer, layout));
    EDGELM_TRY(add_feed_forward(s, layer, layout));
    if (layer >= s.conv_layers) model.kv.push_back(kv_of_layer(s, layer));
  }
  model.state_bytes = 3ULL * s.conv_layers * s.n_embd * sizeof(float);
  model.file_bytes = model.weight_bytes() + kHeaderBytesPerToken * s.n_vocab;
  return model;
}

Result<Model> reference_model(std::string_view name) {
  std::string_view rest = name;
  if (rest.starts_with("synth:")) rest.remove_prefix(6);
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos)
    return fail(ErrorCode::kNotFound, "'{:.128}' is not SHAPE:TYPE; shapes are {}", name,
                reference_shape_names());
  const std::string_view wanted = rest.substr(0, colon);
  const std::vector<ReferenceShape>& shapes = reference_shapes();
  const auto found = std::find_if(shapes.begin(), shapes.end(), [&](const ReferenceShape& shape) {
    return shape.name == wanted;
  });
  if (found == shapes.end())
    return fail(ErrorCode::kNotFound, "no shape '{:.64}'; there are {}", wanted,
                reference_shape_names());
  EDGELM_TRY_ASSIGN(Model model, lay_out(*found, rest.substr(colon + 1), false));
  model.name = std::string(name);
  return model;
}

}  // namespace edgelm::predict
