#pragma once
// What prediction needs to know of a model: bytes and elements of its weights by part and type,
// what a cached position takes, how many layers. Made from a GGUF header of any architecture
// (gguf_model.h), from the shapes of published models (reference_model.h), or from the few
// figures of a row of the reference data. Plain data and sums over it.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "base/result.h"

namespace edgelm::predict {

enum class Part : std::uint8_t {
  kEmbedding,  // one row per token is read
  kHead,       // read once per decoded token; in prefill for the last token alone
  kAttention,
  kFeedForward,
  kExperts,  // of which a token uses some
  kOther,
};
inline constexpr std::array<std::string_view, 6> kPartWords = {
    "embedding", "head", "attention", "feed-forward", "experts", "other"};

// The tensors of one part and one type together.
struct Weights {
  Part part = Part::kOther;
  std::string type;  // "Q4_K"
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  // Share that one token needs: 1, used / all for experts, 0 for an embedding table.
  double share = 1;
};

// What one layer keeps of one position.
struct KvOfLayer {
  std::uint32_t elements = 0;  // keys and values (GQA, MHA), or the latent (MLA)
  std::uint32_t window = 0;    // positions kept at most; 0: the whole context
  // Multiply-adds of attention per (query, key) pair: heads x (key dims + value dims).
  std::uint64_t macs_per_pair = 0;
};

struct Model {
  std::string name;          // as given
  std::string architecture;  // "llama", "" when unknown
  std::string type;          // of most weights: "Q4_K"; a mix by its name: "Q4_K_M"
  std::string origin;        // "GGUF header", "published shape (config.json of ...)", "figures"
  std::uint32_t n_layers = 0;
  std::uint32_t n_embd = 0;
  std::uint32_t n_vocab = 0;
  std::uint32_t context_length = 0;  // what it was made for; 0 unknown
  // float32 activations of one token while a layer is worked on, and the widest input of a matrix.
  std::uint64_t activation_floats = 0;
  std::uint64_t widest_input = 0;
  std::vector<Weights> weights;
  std::vector<KvOfLayer> kv;      // one per layer that caches; empty when unknown
  std::uint64_t state_bytes = 0;  // recurrent or convolution state of a sequence
  std::uint64_t file_bytes = 0;
  std::vector<std::string> notes;  // what was assumed

  [[nodiscard]] std::uint64_t parameters() const;       // elements of all weights
  [[nodiscard]] std::uint64_t weight_bytes() const;     // of all weights
  [[nodiscard]] std::uint64_t embedding_bytes() const;  // of an untied table: not touched
  [[nodiscard]] double bytes_per_token() const;         // read from weights by a decoded token
  [[nodiscard]] double active_parameters() const;       // multiply-adds of a decoded token
  [[nodiscard]] double prefill_parameters() const;      // the same of a token in the prompt
  [[nodiscard]] std::uint64_t kv_bytes(std::uint64_t positions, double bytes_per_element) const;
  // Multiply-adds of attention for one token that sees `positions`.
  [[nodiscard]] double attention_macs(double positions) const;
};

// Bytes of one cached element: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0. kUsage for others.
Result<double> kv_element_bytes(std::string_view kv_type);

// One group of weights, no cache: for published figures of a model whose shape is not published.
Model model_of_figures(std::string name, std::string type, std::uint64_t parameters,
                       double bytes_per_token, std::uint64_t file_bytes);

}  // namespace edgelm::predict
