#pragma once
// The plan of a forward pass: what a model asks of a backend. Pure data: fused operations over
// named buffers for layers [first_layer, last_layer), from token ids or hidden states to hidden
// states or logits. A model emits it (src/arch), a backend compiles and runs it (src/backend), and
// memory and traffic are computed from it (src/plan/cost.h) without running anything.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "tensor/view.h"

namespace edgelm::plan {

using BufferId = std::uint32_t;  // index into Plan::buffers
using WeightId = std::uint32_t;  // index into Plan::weights

// Activations of a batch: (n_tokens, width) float32, or (n_logit_rows, width) when `per_logit_row`.
struct Buffer {
  std::string name;
  std::uint32_t width = 0;
  bool per_logit_row = false;
};

// out = table[id] for every token.
struct Embed {
  WeightId table = 0;  // (vocabulary, hidden)
  BufferId out = 0;
};

struct Projection {
  WeightId weight = 0;           // (out width, in width)
  std::optional<WeightId> bias;  // (out width) F32
  BufferId out = 0;
};

// From here on only the tokens whose logits were asked for count: their rows of `buffers` move to
// the front, in order. Stands in the last layer as soon as its keys and values are stored, so that
// a prompt of many tokens passes through the rest of it, and through the LM head, with one.
struct KeepLogitTokens {
  std::vector<BufferId> buffers;
};

// out_i = W_i rms_norm(in) + b_i for all projections, which share the normalised input.
struct NormProject {
  BufferId in = 0;
  WeightId norm = 0;  // (in width) F32
  float epsilon = 0;
  std::vector<Projection> projections;
};

enum class RopeLayout : std::uint8_t {
  kInterleaved,  // pairs (2i, 2i+1): llama
  kHalfSplit,    // pairs (i, i + n/2): qwen, "NEOX"
};

struct Rope {
  RopeLayout layout = RopeLayout::kInterleaved;
  std::uint32_t n_rot = 0;  // leading elements of each head that are rotated
  float base = 10000;
  float scale = 1;                  // positions are multiplied by it (linear scaling)
  std::optional<WeightId> factors;  // (n_rot / 2) F32: per-pair divisor of the frequency
};

// Shapes of one attention layer.
struct AttentionShape {
  std::uint32_t n_heads = 0;
  std::uint32_t n_kv_heads = 0;
  std::uint32_t k_dim = 0;  // per head
  std::uint32_t v_dim = 0;
};

// Rotates q and k (each head first normalised where norms are given), appends k and v to the
// sequence's cache for this layer.
struct StoreKv {
  std::uint32_t layer = 0;
  AttentionShape shape;
  BufferId q = 0;  // in and out
  BufferId k = 0;
  BufferId v = 0;
  std::optional<WeightId> q_norm;  // (k_dim) F32
  std::optional<WeightId> k_norm;
  float epsilon = 0;
  Rope rope;
};

// out = softmax(scale q K^T) V over the sequence's cache, causal.
struct Attend {
  std::uint32_t layer = 0;
  AttentionShape shape;
  float scale = 1;
  BufferId q = 0;
  BufferId out = 0;
};

// residual += W in + b.
struct ProjectAdd {
  BufferId in = 0;
  WeightId weight = 0;
  std::optional<WeightId> bias;
  BufferId residual = 0;
};

// out = silu(Wg n) * (Wu n) with n = rms_norm(in). Shazeer 2020, arXiv 2002.05202.
struct GatedFfn {
  BufferId in = 0;
  WeightId norm = 0;
  float epsilon = 0;
  WeightId gate = 0;
  WeightId up = 0;
  BufferId gate_scratch = 0;  // (n_tokens, ffn width)
  BufferId out = 0;           // (n_tokens, ffn width)
};

using Op = std::variant<Embed, NormProject, StoreKv, Attend, KeepLogitTokens, ProjectAdd, GatedFfn>;

// Key and value elements of one layer that one cached position takes.
struct KvLayer {
  std::uint32_t n_kv_heads = 0;
  std::uint32_t k_dim = 0;
  std::uint32_t v_dim = 0;
};

struct Plan {
  // Two plans with one id have the same weights at the same addresses.
  std::uint64_t id = 0;
  std::vector<tensor::TensorView> weights;  // views into the model file: not owned
  std::vector<Buffer> buffers;
  std::vector<Op> ops;
  std::vector<KvLayer> kv_layers;  // one per layer of [first_layer, last_layer)
  std::uint32_t first_layer = 0;
  std::uint32_t last_layer = 0;
  std::uint32_t n_vocab = 0;
  BufferId hidden = 0;             // where hidden states enter and leave
  std::optional<BufferId> logits;  // set when the plan ends in logits
  // Where the weights come from, for what a backend keeps of them from one start to the next:
  // GgufFile::identity(), empty when it must keep nothing, and the path for people.
  std::string source;
  std::string source_path;
};

}  // namespace edgelm::plan
