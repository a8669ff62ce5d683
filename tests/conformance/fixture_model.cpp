// Header and data of a fixture model. Written with a plain ByteWriter, not with edgelm's GGUF
// writer: a mistake shared by the project's reader and writer would otherwise go unseen here.
// Format: docs/gguf.md of ggml.
#include "fixture_model.h"

#include <fmt/format.h>

#include <string_view>

#include "base/bytes.h"
#include "fixture_tensors.h"
#include "fixture_vocabulary.h"
#include "formats/gguf.h"

namespace edgelm::conformance {
namespace {

using formats::GgufType;

constexpr std::uint32_t kGgufVersion = 3;
constexpr std::size_t kAlignment = 32;
constexpr float kEpsilon = 1e-2F;  // a thousand times the usual: an engine that ignores it fails

class Metadata {
 public:
  void put(std::string_view name, std::uint32_t value) { scalar(name, GgufType::kU32, value); }
  void put(std::string_view name, float value) { scalar(name, GgufType::kF32, value); }
  void put(std::string_view name, bool value) {
    scalar(name, GgufType::kBool, static_cast<std::uint8_t>(value));
  }
  void put(std::string_view name, std::string_view value) {
    key(name, GgufType::kString);
    text(value);
  }
  void put(std::string_view name, const std::vector<std::string>& values) {
    array(name, GgufType::kString, values.size());
    for (const std::string& value : values) text(value);
  }
  void put(std::string_view name, const std::vector<float>& values) {
    array(name, GgufType::kF32, values.size());
    for (const float value : values) out_.write(value);
  }
  void put(std::string_view name, const std::vector<std::int32_t>& values) {
    array(name, GgufType::kI32, values.size());
    for (const std::int32_t value : values) out_.write(value);
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] const std::string& bytes() const { return out_.bytes(); }

 private:
  void text(std::string_view value) {
    out_.write(std::uint64_t{value.size()});
    out_.write_bytes(value);
  }
  void key(std::string_view name, GgufType type) {
    text(name);
    out_.write(static_cast<std::uint32_t>(type));
    ++count_;
  }
  template <class T>
  void scalar(std::string_view name, GgufType type, T value) {
    key(name, type);
    out_.write(value);
  }
  void array(std::string_view name, GgufType element, std::uint64_t n) {
    key(name, GgufType::kArray);
    out_.write(static_cast<std::uint32_t>(element));
    out_.write(n);
  }

  ByteWriter out_;
  std::uint64_t count_ = 0;
};

std::string_view architecture(Family family) {
  switch (family) {
    case Family::kLlama:
      return "llama";
    case Family::kQwen2:
      return "qwen2";
    case Family::kQwen3:
      return "qwen3";
  }
  return "";
}

void put_hyperparameters(const FixtureSpec& spec, Metadata& out) {
  const std::string arch(architecture(spec.family));
  const Widths& w = spec.widths;
  const float base = spec.family != Family::kLlama ? 1e6F : spec.rope_freqs ? 5e5F : 1e4F;
  out.put("general.architecture", std::string_view(arch));
  out.put("general.name", spec.name);
  out.put(arch + ".context_length", kContext);
  out.put(arch + ".embedding_length", w.embedding);
  out.put(arch + ".block_count", kLayers);
  out.put(arch + ".feed_forward_length", w.feed_forward);
  out.put(arch + ".attention.head_count", w.heads);
  out.put(arch + ".attention.head_count_kv", w.kv_heads);
  out.put(arch + ".attention.layer_norm_rms_epsilon", kEpsilon);
  out.put(arch + ".rope.dimension_count", w.head);
  out.put(arch + ".rope.freq_base", base);
  if (w.head * w.heads != w.embedding) {
    out.put(arch + ".attention.key_length", w.head);
    out.put(arch + ".attention.value_length", w.head);
  }
}

void put_vocabulary(Family family, Metadata& out) {
  const bool sentencepiece = family == Family::kLlama;
  const Vocabulary vocabulary =
      sentencepiece ? sentencepiece_vocabulary() : byte_level_vocabulary();
  out.put("tokenizer.ggml.model", std::string_view(vocabulary.model));
  if (!vocabulary.pre.empty()) out.put("tokenizer.ggml.pre", std::string_view(vocabulary.pre));
  out.put("tokenizer.ggml.tokens", vocabulary.tokens);
  if (sentencepiece) out.put("tokenizer.ggml.scores", vocabulary.scores);
  out.put("tokenizer.ggml.token_type", vocabulary.types);
  if (!sentencepiece) out.put("tokenizer.ggml.merges", vocabulary.merges);
  out.put("tokenizer.ggml.bos_token_id", vocabulary.bos);
  out.put("tokenizer.ggml.eos_token_id", vocabulary.eos);
  out.put("tokenizer.ggml.add_bos_token", sentencepiece);
}

void write_info(const FixtureTensor& tensor, std::uint64_t offset, ByteWriter& out) {
  out.write(std::uint64_t{tensor.name.size()});
  out.write_bytes(tensor.name);
  out.write(tensor.shape.n_dims);
  for (std::uint32_t d = 0; d < tensor.shape.n_dims; ++d) out.write(tensor.shape.dims[d]);
  out.write(static_cast<std::uint32_t>(tensor.type));
  out.write(offset);
}

}  // namespace

std::string fixture_gguf(const FixtureSpec& spec) {
  const std::vector<FixtureTensor> tensors = fixture_tensors(spec);
  Metadata metadata;
  put_hyperparameters(spec, metadata);
  put_vocabulary(spec.family, metadata);

  ByteWriter out;
  out.write_bytes("GGUF");
  out.write(kGgufVersion);
  out.write(std::uint64_t{tensors.size()});
  out.write(metadata.count());
  out.write_bytes(metadata.bytes());
  std::uint64_t offset = 0;
  for (const FixtureTensor& tensor : tensors) {
    write_info(tensor, offset, out);
    offset += (tensor.data.size() + kAlignment - 1) / kAlignment * kAlignment;
  }
  for (const FixtureTensor& tensor : tensors) {
    out.pad_to(kAlignment);
    out.write_bytes(tensor.data);
  }
  out.pad_to(kAlignment);
  return out.bytes();
}

}  // namespace edgelm::conformance
