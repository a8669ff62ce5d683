// Header, vocabulary and weights of a recipe. Keys: gguf.md, and what llama.cpp's converter writes.

#include "synth/synth.h"

#include <cstring>

#include "base/random.h"
#include "os/memory.h"
#include "synth/random_rows.h"
#include "synth/tensors.h"
#include "synth/vocabulary.h"

namespace edgelm::synth {
namespace {

// Each tensor has a stream of its own, by name, so that leaving layers out changes no other.
// FNV-1a.
std::uint64_t seed_of(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash ^ mix64(seed);
}

void add_header(const Recipe& recipe, formats::GgufWriter& writer) {
  const ModelShape& shape = recipe.shape;
  const std::string arch(architecture(shape.family));
  const auto key = [&arch](const char* name) { return fmt::format("{}.{}", arch, name); };
  writer.set("general.architecture", arch);
  writer.set("general.type", "model");
  writer.set("general.name", recipe.title());
  writer.set("general.description",
             fmt::format("Random weights (seed {}) in the shape of {}; made by edgelm synth",
                         recipe.seed, shape.source));
  writer.set("general.file_type", recipe.mix.file_type);
  writer.set("general.quantization_version", std::uint32_t{2});
  writer.set(key("block_count"), recipe.n_layers);
  writer.set(key("context_length"), shape.context_length);
  writer.set(key("embedding_length"), shape.n_embd);
  writer.set(key("feed_forward_length"), shape.n_ff);
  writer.set(key("attention.head_count"), shape.n_heads);
  writer.set(key("attention.head_count_kv"), shape.n_kv_heads);
  writer.set(key("attention.key_length"), shape.head_dim);
  writer.set(key("attention.value_length"), shape.head_dim);
  writer.set(key("attention.layer_norm_rms_epsilon"), shape.rms_epsilon);
  writer.set(key("rope.dimension_count"), shape.head_dim);
  writer.set(key("rope.freq_base"), shape.rope_base);
  writer.set(key("vocab_size"), shape.n_vocab);
}

Status fill(const TensorSpec& tensor, std::uint64_t seed, std::uint64_t first_row,
            std::span<std::byte> out) {
  const tensor::DTypeInfo& info = tensor::dtype_info(tensor.type);
  if (!tensor.values.empty()) {
    std::memcpy(out.data(), tensor.values.data(), out.size());
  } else if (tensor.shape.rows() == 1) {
    random_floats(seed, tensor.mean, tensor.rms, out);
  } else {
    random_blocks(tensor.type, seed, tensor.rms,
                  first_row * (tensor.shape.cols() / info.block_elements), out);
  }
  return {};
}

}  // namespace

formats::GgufWriter gguf_of(const Recipe& recipe) {
  formats::GgufWriter writer;
  add_header(recipe, writer);
  add_vocabulary(recipe.shape, writer);
  for (const TensorSpec& tensor : list_tensors(recipe)) {
    const std::uint64_t seed = seed_of(recipe.seed, tensor.name);
    writer.add_tensor(tensor.name, tensor.type, tensor.shape,
                      [tensor, seed](std::uint64_t first_row, std::span<std::byte> out) {
                        return fill(tensor, seed, first_row, out);
                      });
  }
  return writer;
}

Result<os::NewFile> make_in_memory(const Recipe& recipe,
                                   const formats::GgufWriter::Progress& progress) {
  std::uint64_t needed = 0;
  for (const TensorSpec& tensor : list_tensors(recipe)) {
    const tensor::DTypeInfo& info = tensor::dtype_info(tensor.type);
    needed += tensor.shape.elements() / info.block_elements * info.block_bytes;
  }
  // Twice, because the CPU backend packs a copy for speed, and pages without a file cannot make
  // room for it as those of a file can.
  const std::uint64_t available = os::available_memory_bytes();
  if (available != 0 && needed > available / 2)
    return fail(ErrorCode::kMemory,
                "{} in {} takes 2 x {} MiB of memory, {} are available; with fewer layers "
                "(synth:{}:{}:layers=N) or from a file of `edgelm synth` it takes less",
                recipe.title(), recipe.mix.name, needed >> 20, available >> 20, recipe.shape.name,
                recipe.mix.name);
  EDGELM_TRY_ASSIGN(os::NewFile file, os::NewFile::in_memory(recipe.title()));
  EDGELM_TRY(gguf_of(recipe).stream([&file](Bytes piece) { return file.append(piece); }, progress));
  return file;
}

}  // namespace edgelm::synth
