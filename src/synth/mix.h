#pragma once
// Which tensor type each matrix of a file has: one for all ("Q4_K"), or the mixes that model makers
// publish ("Q4_K_M"), by the rules of llama.cpp's quantizer. Vectors are always F32.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tensor/dtype.h"

namespace edgelm::synth {

// What a matrix is for, as far as the mixes care. A tied table is the head too: kOutput.
enum class Role : std::uint8_t { kEmbedding, kOutput, kAttnV, kFfnDown, kOther };

struct Mix {
  std::string name;                          // as users write it
  tensor::DType base = tensor::DType::kF32;  // of most matrices
  enum class Rule : std::uint8_t { kPure, kMedium, kSmall } rule = Rule::kPure;
  std::uint32_t file_type = 0;  // general.file_type (llama.h, enum llama_ftype)
};

// Case-insensitive; kUsage with the list of what there is.
Result<Mix> find_mix(std::string_view name);

// "F32, F16, ..., Q4_K_M, ..."
std::string mix_names();

// The type that the mix wants for a matrix of layer `layer` of `n_layers` (0 for those outside).
tensor::DType wanted_type(const Mix& mix, Role role, std::uint32_t layer, std::uint32_t n_layers);

// `wanted`, or where rows of `cols` elements are not whole blocks of it, what llama.cpp takes
// instead: Q4_K -> Q5_0, Q5_K -> Q5_1, Q6_K -> Q8_0, and F16 where those do not fit either.
tensor::DType fitting_type(tensor::DType wanted, std::uint64_t cols);

}  // namespace edgelm::synth
