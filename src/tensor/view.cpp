// Shapes as people write them, for messages and tables.

#include "tensor/view.h"

#include <fmt/format.h>

namespace edgelm::tensor {

std::string to_string(const Shape& shape) {
  std::size_t n_shown = shape.dims.size();
  while (n_shown > 1 && shape.dims[n_shown - 1] == 1) --n_shown;
  std::string text = std::to_string(shape.dims[0]);
  for (std::size_t i = 1; i < n_shown; ++i) text += fmt::format("x{}", shape.dims[i]);
  return text;
}

}  // namespace edgelm::tensor
