#pragma once
// What to make: a shape, the types of its matrices, how many of its layers, and a seed. Parsed here
// from the words of the command line; everything else in this folder follows from it.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "synth/mix.h"
#include "synth/shapes.h"

namespace edgelm::synth {

struct Recipe {
  ModelShape shape;  // of the whole model
  Mix mix;
  std::uint32_t n_layers = 0;  // how many are made, from the first on; the others are left out
  std::uint64_t seed = 0;

  // "tinyllama-1.1b", or "tinyllama-1.1b, layers 1 to 2 of 22".
  [[nodiscard]] std::string title() const;
};

// `layers` 0: all of them. kUsage with what there is when a name or a number is wrong.
Result<Recipe> make_recipe(std::string_view shape, std::string_view type, std::uint32_t layers = 0,
                           std::uint64_t seed = 0);

// A model's name of the form synth:SHAPE:TYPE or synth:SHAPE:TYPE:layers=N.
bool is_synth_name(std::string_view name);
Result<Recipe> parse_synth_name(std::string_view name);

}  // namespace edgelm::synth
