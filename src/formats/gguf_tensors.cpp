// Reads the tensor table, then places every tensor: sizes by checked arithmetic, no overlap.

#include "formats/gguf_tensors.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/printable.h"
#include "formats/gguf_part.h"
#include "formats/gguf_types.h"
#include "formats/name_index.h"

namespace edgelm::formats {
namespace {

class TensorParser {
 public:
  TensorParser(ByteReader& reader, const std::string& file, TypePolicy policy)
      : reader_(reader), file_(file), policy_(policy) {}

  Result<std::vector<GgufTensorInfo>> parse(std::uint64_t count) {
    std::vector<GgufTensorInfo> tensors;
    tensors.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      EDGELM_TRY_ASSIGN(GgufTensorInfo tensor, parse_one(i, count));
      tensors.push_back(tensor);
    }
    return tensors;
  }

 private:
  Result<GgufTensorInfo> parse_one(std::uint64_t index, std::uint64_t count) {
    const auto truncated = [&] {
      return fail(ErrorCode::kFormat, "{}: truncated: the file ends inside tensor entry {} of {}",
                  file_, index + 1, count);
    };
    GgufTensorInfo tensor;
    const auto name_bytes = reader_.read<std::uint64_t>();
    if (!name_bytes) return truncated();
    if (*name_bytes == 0 || *name_bytes > kMaxTensorNameBytes)
      return fail(ErrorCode::kFormat,
                  "{}: tensor entry {} of {}: the name is {} bytes long, expected 1 to {}", file_,
                  index + 1, count, *name_bytes, kMaxTensorNameBytes);
    const auto name = reader_.take(*name_bytes);
    if (!name) return truncated();
    tensor.name = as_chars(*name);

    const auto n_dims = reader_.read<std::uint32_t>();
    if (!n_dims) return truncated();
    if (*n_dims < 1 || *n_dims > tensor.shape.dims.size())
      return fail(ErrorCode::kFormat, "{}: tensor '{}' has {} dimensions, expected 1 to 4", file_,
                  printable(tensor.name), *n_dims);
    tensor.shape.n_dims = *n_dims;
    for (std::uint32_t d = 0; d < *n_dims; ++d) {
      const auto dim = reader_.read<std::uint64_t>();
      if (!dim) return truncated();
      if (*dim == 0)
        return fail(ErrorCode::kFormat, "{}: tensor '{}': dimension {} is 0", file_,
                    printable(tensor.name), d);
      tensor.shape.dims[d] = *dim;
    }
    const auto type_id = reader_.read<std::uint32_t>();
    const auto offset = reader_.read<std::uint64_t>();
    if (!type_id || !offset) return truncated();
    tensor.type_id = *type_id;
    tensor.offset = *offset;  // still relative to the data section
    EDGELM_TRY(check_type(tensor));
    return tensor;
  }

  Status check_type(const GgufTensorInfo& tensor) const {
    if (!block_geometry(tensor.type_id))
      return fail(ErrorCode::kFormat, "{}: tensor '{}': unknown tensor {}; edgelm runs {}", file_,
                  printable(tensor.name), type_with_id(tensor.type_id), runnable_types());
    if (policy_ == TypePolicy::kRunnable && tensor::find_dtype(tensor.type_id) == nullptr)
      return fail(ErrorCode::kUnsupported,
                  "{}: tensor '{}' has type {}, which this build cannot run; it runs {}", file_,
                  printable(tensor.name), tensor_type_label(tensor.type_id), runnable_types());
    return {};
  }

  static std::string type_with_id(std::uint32_t id) {
    const std::string label = tensor_type_label(id);
    return label.starts_with("type ") ? label : fmt::format("type {} ({})", id, label);
  }

  ByteReader& reader_;
  const std::string& file_;
  TypePolicy policy_;
};

// Bytes of the packed data, or nullopt when the product leaves 64 bits. Rows are whole blocks.
std::optional<std::uint64_t> packed_bytes(const tensor::Shape& shape, BlockGeometry geometry) {
  std::optional<std::uint64_t> bytes =
      checked_mul(shape.cols() / geometry.elements, geometry.bytes);
  std::optional<std::uint64_t> elements = shape.cols();
  for (std::size_t d = 1; d < shape.dims.size(); ++d) {
    if (bytes) bytes = checked_mul(*bytes, shape.dims[d]);
    if (elements) elements = checked_mul(*elements, shape.dims[d]);
  }
  return elements ? bytes : std::nullopt;
}

// Turns the relative offset into one from the start of the file, and sets the data view.
Status place(Bytes bytes, const std::string& file, std::uint64_t data_start,
             std::uint32_t alignment, TypePolicy policy, GgufTensorInfo& tensor) {
  const std::string name = printable(tensor.name);
  const BlockGeometry geometry = *block_geometry(tensor.type_id);
  if (tensor.shape.cols() % geometry.elements != 0)
    return fail(ErrorCode::kFormat,
                "{}: tensor '{}': rows of {} elements, {} needs a multiple of {}", file, name,
                tensor.shape.cols(), tensor_type_label(tensor.type_id), geometry.elements);
  const auto size = packed_bytes(tensor.shape, geometry);
  if (!size)
    return fail(ErrorCode::kFormat, "{}: tensor '{}': the shape {} overflows 64 bits", file, name,
                to_string(tensor.shape));
  if (tensor.offset % alignment != 0)
    return fail(ErrorCode::kFormat,
                "{}: tensor '{}': offset {} is not a multiple of the alignment {}", file, name,
                tensor.offset, alignment);
  const auto start = checked_add(data_start, tensor.offset);
  const auto end = start ? checked_add(*start, *size) : std::nullopt;
  if (!end)
    return fail(ErrorCode::kFormat, "{}: tensor '{}': offset {} plus {} bytes overflows 64 bits",
                file, name, tensor.offset, *size);
  tensor.bytes = *size;
  if (policy == TypePolicy::kHeader) {
    tensor.offset = *start;
    return {};
  }
  if (*end > bytes.size())
    return fail(ErrorCode::kFormat,
                "{}: tensor '{}' ({} {}): its data ends at byte {}, the file is {} bytes long "
                "(truncated?)",
                file, name, to_string(tensor.shape), tensor_type_label(tensor.type_id), *end,
                bytes.size());
  tensor.offset = *start;
  tensor.data = bytes.subspan(static_cast<std::size_t>(*start), static_cast<std::size_t>(*size));
  return {};
}

Status check_overlap(const std::string& file, const std::vector<GgufTensorInfo>& tensors) {
  std::vector<std::uint32_t> order(tensors.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return tensors[a].offset < tensors[b].offset;
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const GgufTensorInfo& before = tensors[order[i - 1]];
    const GgufTensorInfo& after = tensors[order[i]];
    if (after.offset < before.offset + before.bytes)
      return fail(ErrorCode::kFormat,
                  "{}: tensors '{}' and '{}' overlap: bytes {} to {} and {} to {} of the file",
                  file, printable(before.name), printable(after.name), before.offset,
                  before.offset + before.bytes, after.offset, after.offset + after.bytes);
  }
  return {};
}

}  // namespace

Result<std::vector<GgufTensorInfo>> parse_tensors(Bytes bytes, ByteReader& reader,
                                                  const std::string& name, std::uint64_t count,
                                                  std::uint32_t alignment, TypePolicy policy) {
  EDGELM_TRY_ASSIGN(std::vector<GgufTensorInfo> tensors,
                    TensorParser(reader, name, policy).parse(count));
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const GgufTensorInfo& tensor : tensors) names.push_back(tensor.name);
  if (const auto duplicate = NameIndex(std::move(names)).duplicate())
    return fail(ErrorCode::kFormat, "{}: tensor '{}' occurs twice", name, printable(*duplicate));
  const auto data_start = checked_align_up(reader.position(), alignment);
  if (!data_start)
    return fail(ErrorCode::kFormat, "{}: the data section starts beyond 64 bits", name);
  for (GgufTensorInfo& tensor : tensors)
    EDGELM_TRY(place(bytes, name, *data_start, alignment, policy, tensor));
  EDGELM_TRY(check_overlap(name, tensors));
  return tensors;
}

}  // namespace edgelm::formats
