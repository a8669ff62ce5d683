#pragma once
// A named tensor inside a mapped model file: type, shape and bytes, none of them owned.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "tensor/dtype.h"

namespace edgelm::tensor {

// Dimensions in GGUF order: dims[0] is the contiguous one (the row length), the rest default to 1.
struct Shape {
  std::array<std::uint64_t, 4> dims{1, 1, 1, 1};
  std::uint32_t n_dims = 1;

  [[nodiscard]] std::uint64_t cols() const { return dims[0]; }
  [[nodiscard]] std::uint64_t rows() const { return dims[1] * dims[2] * dims[3]; }
  [[nodiscard]] std::uint64_t elements() const { return cols() * rows(); }
  friend bool operator==(const Shape& a, const Shape& b) { return a.dims == b.dims; }
};

// "4096x1024" in GGUF order, without trailing ones.
std::string to_string(const Shape& shape);

struct TensorView {
  std::string_view name;  // not owned; lives as long as the file it came from
  DType type = DType::kF32;
  Shape shape;
  Bytes data;  // not owned; exactly rows() * row_bytes() bytes

  [[nodiscard]] std::uint64_t row_bytes() const {
    const DTypeInfo& info = dtype_info(type);
    return shape.cols() / info.block_elements * info.block_bytes;
  }
  [[nodiscard]] const std::byte* row(std::uint64_t index) const {
    return data.data() + index * row_bytes();
  }
};

}  // namespace edgelm::tensor
