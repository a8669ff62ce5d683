#pragma once
// A model file at a glance: weights added up by type, and values shortened for one line. Used by
// `inspect`; reads the tables only, never the weights.

#include <cstdint>
#include <string>
#include <vector>

#include "formats/gguf.h"

namespace edgelm::formats {

struct TypeTotal {
  std::uint32_t type_id = 0;
  std::uint64_t n_tensors = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;

  // 0 when there are no elements.
  [[nodiscard]] double bits_per_weight() const;
};

struct TensorTotals {
  std::vector<TypeTotal> types;  // most bytes first
  TypeTotal all;                 // its type_id means nothing
};

TensorTotals total_tensors(const GgufFile& file);

// The first `n` elements of an array (all of them when there are fewer).
GgufArray first_elements(const GgufArray& array, std::uint64_t n);

// "u32", or "array of string".
std::string type_label(const GgufValue& value);

// The value on one line, safe for a terminal: strings escaped and cut after `max_bytes`, arrays as
// their first elements within about the same length, then "..." and the count.
std::string brief_value(const GgufValue& value, std::size_t max_bytes);

}  // namespace edgelm::formats
