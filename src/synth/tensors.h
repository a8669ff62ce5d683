#pragma once
// The tensors of a recipe, as data: names, shapes, types and the distribution of their numbers.

#include <string>
#include <vector>

#include "synth/recipe.h"
#include "tensor/view.h"

namespace edgelm::synth {

struct TensorSpec {
  std::string name;
  tensor::DType type = tensor::DType::kF32;
  tensor::Shape shape;
  double mean = 0;
  double rms = 0;                  // around the mean
  std::vector<float> values = {};  // when given, these are the numbers
};

// In the order in which llama.cpp's converter writes them.
std::vector<TensorSpec> list_tensors(const Recipe& recipe);

// Weights and biases; what is computed from the header (rope_freqs) is none.
std::uint64_t count_parameters(const std::vector<TensorSpec>& tensors);

// One line about matrices whose rows are not whole blocks of the type that was asked for, and what
// they have instead; empty when there is none.
std::string replaced_types(const Recipe& recipe);

}  // namespace edgelm::synth
