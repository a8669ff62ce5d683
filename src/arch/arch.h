#pragma once
// What a model file's header says: hyperparameters, weights by name and shape, and the plan of the
// forward pass, all checked against each other, without touching the weights' bytes. Used by
// inspect and the memory plan, and by src/model to run it. One file per architecture; registry in
// arch.cpp.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/gguf.h"
#include "plan/plan.h"

namespace edgelm::arch {

struct Hparams {
  std::string architecture;  // general.architecture
  std::string name;          // general.name, may be empty
  std::uint32_t n_vocab = 0;
  std::uint32_t context_length = 0;  // tokens the model was made for
  std::uint32_t n_embd = 0;
  std::uint32_t n_layers = 0;
  std::vector<std::uint32_t> n_ff;        // per layer
  std::vector<std::uint32_t> n_heads;     // per layer
  std::vector<std::uint32_t> n_kv_heads;  // per layer
  std::uint32_t k_dim = 0;                // elements of a key head
  std::uint32_t v_dim = 0;
  float rms_epsilon = 0;
  plan::Rope rope;  // without the weight id of frequency factors
};

struct Description {
  Hparams hparams;
  plan::Plan plan;  // whole model, ids to logits; its weights view into the file
};

// kUnsupported for an architecture (or a feature of one) this build does not run, kFormat when
// header and tensors disagree. The file must outlive the description.
Result<Description> describe(const formats::GgufFile& file);

// Names of the architectures this build runs, for messages and help.
std::vector<std::string_view> supported_architectures();

}  // namespace edgelm::arch
