#pragma once
// Which tensor type each matrix of a published file has, by the name of the mix ("Q4_K_M"), also
// for types that this build cannot run. Used to lay out the shapes of published models
// (reference_model.cpp). synth/mix.h does the same for the types that can be run; the rules are
// llama.cpp's (src/llama-quant.cpp, llama_tensor_get_type_impl and tensor_type_fallback).

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "formats/gguf_types.h"

namespace edgelm::predict {

enum class MatrixRole : std::uint8_t {
  kEmbedding,
  kOutput,  // a tied table too
  kAttnV,
  kAttnOut,
  kAttnQkv,  // fused
  kFfnDown,
  kOther,
};

struct MatrixPlace {
  MatrixRole role = MatrixRole::kOther;
  std::uint32_t layer = 0;
  std::uint32_t n_layers = 1;
  std::uint32_t heads_per_kv = 1;
};

// The type of a matrix whose rows have `cols` elements. kUsage for a mix that is not known, with
// the list of what there is.
Result<std::string> matrix_type(std::string_view mix, const MatrixPlace& place, std::uint64_t cols);

std::string known_mixes();  // "F16, Q2_K, ..."

// kFormat when the format has no type of that name.
Result<formats::BlockGeometry> geometry_of(std::string_view type);

}  // namespace edgelm::predict
