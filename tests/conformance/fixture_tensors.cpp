// Scales are chosen so that every part counts: an embedding of rms 1, attention scores of standard
// deviation near 2, and residual branches of rms about 1/2 each. A wrong rotation, head mapping or
// nibble then moves the logits by far more than the tolerances.
#include "fixture_tensors.h"

#include <fmt/format.h>

#include <cmath>

#include "random_tensor.h"

namespace edgelm::conformance {
namespace {

using tensor::DType;
using enum tensor::DType;

// The type of each matrix of a mixed model, by role; every type occurs.
DType mixed_type(std::string_view role) {
  constexpr std::pair<std::string_view, DType> kTypes[] = {
      {"token_embd", kQ5_0}, {"attn_q", kQ5_K},   {"attn_k", kQ8_0}, {"attn_v", kQ6_K},
      {"attn_output", kF16}, {"ffn_gate", kQ4_K}, {"ffn_up", kQ5_1}, {"ffn_down", kQ4_0},
  };
  for (const auto& [name, type] : kTypes)
    if (name == role) return type;
  return kBF16;  // output
}

class Builder {
 public:
  explicit Builder(const FixtureSpec& spec) : spec_(spec), embedding_rms_(spec.tied ? 0.25 : 1) {}

  // A projection; `gain` is the rms of its output when its input has rms 1.
  void matrix(std::string_view prefix, std::string_view role, std::uint64_t cols,
              std::uint64_t rows, double gain) {
    const std::string name = fmt::format("{}{}.weight", prefix, role);
    const DType type = spec_.type ? *spec_.type : mixed_type(role);
    const Scales scales = role == "token_embd" ? Scales::kEven : Scales::kWild;
    const double rms = gain / std::sqrt(static_cast<double>(cols));
    tensors_.push_back({name,
                        type,
                        {{cols, rows, 1, 1}, 2},
                        random_matrix(type, cols * rows, rms, scales, fixture_seed(spec_, name))});
  }

  void vector(std::string name, std::uint64_t n, double low, double high) {
    const std::uint64_t seed = fixture_seed(spec_, name);
    tensors_.push_back(
        {std::move(name), kF32, {{n, 1, 1, 1}, 1}, random_floats(n, low, high, seed)});
  }

  void norm(std::string_view prefix, std::string_view role, std::uint64_t n) {
    vector(fmt::format("{}{}.weight", prefix, role), n, 0.7, 1.3);
  }

  void bias(std::string_view prefix, std::string_view role, std::uint64_t n) {
    vector(fmt::format("{}{}.bias", prefix, role), n, -0.5, 0.5);
  }

  void layer(std::uint32_t index) {
    const Widths& w = spec_.widths;
    const std::uint64_t q_width = std::uint64_t{w.heads} * w.head;
    const std::uint64_t kv_width = std::uint64_t{w.kv_heads} * w.head;
    const std::string prefix = fmt::format("blk.{}.", index);
    norm(prefix, "attn_norm", w.embedding);
    matrix(prefix, "attn_q", w.embedding, q_width, 1);
    matrix(prefix, "attn_k", w.embedding, kv_width, 1);
    matrix(prefix, "attn_v", w.embedding, kv_width, 1);
    if (spec_.family == Family::kQwen2) {
      bias(prefix, "attn_q", q_width);
      bias(prefix, "attn_k", kv_width);
      bias(prefix, "attn_v", kv_width);
    }
    if (spec_.family == Family::kQwen3) {
      norm(prefix, "attn_q_norm", w.head);
      norm(prefix, "attn_k_norm", w.head);
    }
    matrix(prefix, "attn_output", q_width, w.embedding, embedding_rms_ / 2);
    norm(prefix, "ffn_norm", w.embedding);
    matrix(prefix, "ffn_gate", w.embedding, w.feed_forward, 1);
    matrix(prefix, "ffn_up", w.embedding, w.feed_forward, 1);
    matrix(prefix, "ffn_down", w.feed_forward, w.embedding, embedding_rms_ / 2);
  }

  std::vector<FixtureTensor> build() {
    const Widths& w = spec_.widths;
    matrix("", "token_embd", w.embedding, kVocabulary, embedding_rms_ * std::sqrt(w.embedding));
    if (spec_.rope_freqs) vector("rope_freqs.weight", w.head / 2, 1, 8);
    for (std::uint32_t index = 0; index < kLayers; ++index) layer(index);
    // Tied, weights of one sign would make every token predict itself and hide the other logits.
    vector("output_norm.weight", w.embedding, spec_.tied ? -1.3 : 0.7, 1.3);
    if (!spec_.tied) matrix("", "output", w.embedding, kVocabulary, 2.5);
    return std::move(tensors_);
  }

 private:
  const FixtureSpec& spec_;
  const double embedding_rms_;  // tied, it decides the size of the logits too
  std::vector<FixtureTensor> tensors_;
};

}  // namespace

std::vector<FixtureTensor> fixture_tensors(const FixtureSpec& spec) {
  return Builder(spec).build();
}

std::uint64_t fingerprint(const std::vector<FixtureTensor>& tensors) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&hash](std::string_view bytes) {
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  };
  for (const FixtureTensor& tensor : tensors) {
    add(tensor.name);
    add(to_string(tensor.shape));
    add(tensor::dtype_info(tensor.type).name);
    add(tensor.data);
  }
  return hash;
}

}  // namespace edgelm::conformance
