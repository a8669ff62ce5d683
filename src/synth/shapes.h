#pragma once
// The shapes of published models: everything that decides how large a model's matrices are, how its
// layers are composed and what its header says. Read by model.cpp, which makes files of them.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace edgelm::synth {

enum class Family : std::uint8_t { kLlama, kQwen2, kQwen3 };

// How the vocabulary is built; says which names and ids its special tokens have.
enum class VocabularyKind : std::uint8_t {
  kSentencePiece,  // Llama 2
  kLlama3,
  kQwen,
  kDeepSeekQwen,
  kSmolLm,
};

struct ModelShape {
  std::string_view name;    // as the command line calls it
  std::string_view source;  // the repository on the Hugging Face hub whose config.json this is
  Family family = Family::kLlama;
  VocabularyKind vocabulary = VocabularyKind::kSentencePiece;
  std::uint32_t n_layers = 0;
  std::uint32_t n_embd = 0;
  std::uint32_t n_ff = 0;
  std::uint32_t n_heads = 0;
  std::uint32_t n_kv_heads = 0;
  std::uint32_t head_dim = 0;
  std::uint32_t n_vocab = 0;
  std::uint32_t context_length = 0;
  float rope_base = 10000;
  float rms_epsilon = 1e-5F;
  bool tied = false;                       // the head is the embedding table
  float llama3_rope_factor = 0;            // Llama 3.1's frequency scaling; 0: none
  std::uint64_t published_parameters = 0;  // a tied table counted once
};

std::span<const ModelShape> shapes();

// kUsage with the list of what there is.
Result<ModelShape> find_shape(std::string_view name);

// "tinyllama-1.1b, llama2-7b, ..."
std::string shape_names();

// "llama": the value of general.architecture.
std::string_view architecture(Family family);

}  // namespace edgelm::synth
