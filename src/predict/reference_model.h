#pragma once
// The shapes of published models (data/reference/models.csv) laid out in a type, so that a model
// can be planned by its name alone: "qwen2.5-7b:Q4_K_M". Sizes agree with the published files to
// within a few per cent; the validation holds that.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "predict/model.h"

namespace edgelm::predict {

struct ReferenceShape {
  std::string name;
  std::string architecture;
  std::uint32_t n_layers = 0, n_embd = 0, n_ff = 0, ff_matrices = 3;
  std::uint32_t n_heads = 0, n_kv_heads = 0, head_dim = 0, n_vocab = 0;
  bool tied = false;
  std::uint32_t context_length = 0;
  std::uint32_t n_experts = 0, n_experts_used = 0, expert_ff = 0, shared_ff = 0, dense_layers = 0;
  std::uint32_t kv_lora = 0, rope_dim = 0;     // MLA: the latent and the rotated key
  std::uint32_t window = 0, global_every = 0;  // sliding window; every n-th layer sees everything
  std::uint32_t conv_layers = 0;               // layers with a short convolution for attention
  std::string source;
};

// The table that is part of the program.
const std::vector<ReferenceShape>& reference_shapes();
Result<std::vector<ReferenceShape>> parse_shapes(std::string_view csv, const std::string& name);
std::string reference_shape_names();

// `copy_of_embedding`: the file stores a tied table twice, as some published files do. kUsage for
// an unknown mix.
Result<Model> lay_out(const ReferenceShape& shape, std::string_view mix, bool copy_of_embedding);

// "SHAPE:TYPE", with "synth:" before it or not. kNotFound when there is no such shape.
Result<Model> reference_model(std::string_view name);

}  // namespace edgelm::predict
