#pragma once
// Floats -> blocks of every quantized type, for tests that need real weights in a type they were
// not published in. Nearest rounding with scales from the largest values of a group: the plain
// method, without the searches that make published files a little better.

#include <cstddef>
#include <span>

#include "tensor/dtype.h"

namespace edgelm::test {

// `row` is a whole number of blocks; `out` has room for as many blocks. Values are finite and small
// enough for a half-precision scale.
void quantize_row(tensor::DType type, std::span<const float> row, std::byte* out);

}  // namespace edgelm::test
