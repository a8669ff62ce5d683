// Lays a GGUF v3 file out: header, key-values, tensor table, padded tensor data.

#include "formats/gguf_writer.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/printable.h"
#include "formats/gguf_part.h"
#include "formats/name_index.h"
#include "os/new_file.h"

namespace edgelm::formats {
namespace {

constexpr std::uint32_t kWrittenVersion = 3;
constexpr std::uint64_t kPieceBytes = 1 << 20;  // small enough for a second-level cache

void write_string(ByteWriter& out, std::string_view text) {
  out.write(static_cast<std::uint64_t>(text.size()));
  out.write_bytes(text);
}

std::uint64_t rounded_up(std::uint64_t value, std::uint64_t alignment) {
  return ceil_div(value, alignment) * alignment;
}

// Payload of a scalar that was widened by the reader.
struct ScalarEncoder {
  GgufType type;
  ByteWriter& out;

  template <class T>
  void number(T value) const {
    switch (type) {
      case GgufType::kU8:
        return out.write(static_cast<std::uint8_t>(value));
      case GgufType::kI8:
        return out.write(static_cast<std::int8_t>(value));
      case GgufType::kU16:
        return out.write(static_cast<std::uint16_t>(value));
      case GgufType::kI16:
        return out.write(static_cast<std::int16_t>(value));
      case GgufType::kU32:
        return out.write(static_cast<std::uint32_t>(value));
      case GgufType::kI32:
        return out.write(static_cast<std::int32_t>(value));
      case GgufType::kF32:
        return out.write(static_cast<float>(value));
      case GgufType::kF64:
        return out.write(static_cast<double>(value));
      default:
        return out.write(value);  // 64 bits wide already
    }
  }
  void operator()(std::uint64_t value) const { number(value); }
  void operator()(std::int64_t value) const { number(value); }
  void operator()(double value) const { number(value); }
  void operator()(bool value) const { out.write(static_cast<std::uint8_t>(value)); }
  void operator()(std::string_view text) const { write_string(out, text); }
  void operator()(const GgufArray& array) const {
    out.write(static_cast<std::uint32_t>(array.element_type));
    out.write(array.count);
    out.write_bytes(as_chars(array.data));
  }
};

}  // namespace

std::uint64_t GgufWriter::Tensor::row_bytes() const {
  const tensor::DTypeInfo& info = tensor::dtype_info(type);
  return shape.cols() / info.block_elements * info.block_bytes;
}

void GgufWriter::put(std::string_view key, GgufType type, std::string payload) {
  const auto same = [&](const Entry& entry) { return entry.key == key; };
  const auto hit = std::find_if(entries_.begin(), entries_.end(), same);
  if (hit == entries_.end()) {
    entries_.push_back({std::string(key), type, std::move(payload)});
  } else {
    hit->type = type;
    hit->payload = std::move(payload);
  }
}

void GgufWriter::put_array(std::string_view key, GgufType element, std::uint64_t count,
                           std::string_view packed) {
  ByteWriter payload;
  ScalarEncoder{GgufType::kArray, payload}(GgufArray{element, count, as_byte_span(packed)});
  put(key, GgufType::kArray, payload.bytes());
}

void GgufWriter::set(std::string_view key, std::string_view text) {
  ByteWriter payload;
  write_string(payload, text);
  put(key, GgufType::kString, payload.bytes());
}

void GgufWriter::set_array(std::string_view key, std::span<const std::string> texts) {
  ByteWriter packed;
  for (const std::string& text : texts) write_string(packed, text);
  put_array(key, GgufType::kString, texts.size(), packed.bytes());
}

void GgufWriter::set_array(std::string_view key, const std::vector<bool>& flags) {
  ByteWriter packed;
  for (const bool flag : flags) packed.write(static_cast<std::uint8_t>(flag));
  put_array(key, GgufType::kBool, flags.size(), packed.bytes());
}

void GgufWriter::copy(const GgufValue& value) {
  ByteWriter payload;
  std::visit(ScalarEncoder{value.type, payload}, value.value);
  put(value.key, value.type, payload.bytes());
}

void GgufWriter::add_tensor(std::string name, tensor::DType type, const tensor::Shape& shape,
                            Bytes data) {
  tensors_.push_back({std::move(name), type, shape, data, nullptr});
}

void GgufWriter::add_tensor(std::string name, tensor::DType type, const tensor::Shape& shape,
                            Producer producer) {
  tensors_.push_back({std::move(name), type, shape, {}, std::move(producer)});
}

Result<std::uint32_t> GgufWriter::alignment() const {
  for (const Entry& entry : entries_) {
    if (entry.key != "general.alignment") continue;
    const bool is_u32 = entry.type == GgufType::kU32;
    const auto value = is_u32 ? load_le<std::uint32_t>(entry.payload.data()) : 0;
    if (value == 0 || value > kMaxAlignment || value % 8 != 0)
      return fail(ErrorCode::kUsage,
                  "writing GGUF: general.alignment must be a u32, a multiple of 8 up to {}",
                  kMaxAlignment);
    return value;
  }
  return kDefaultAlignment;
}

Status GgufWriter::check() const {
  for (const Entry& entry : entries_)
    if (entry.key.empty() || entry.key.size() > kMaxKeyBytes)
      return fail(ErrorCode::kUsage, "writing GGUF: a key is {} bytes long, expected 1 to {}",
                  entry.key.size(), kMaxKeyBytes);
  std::vector<std::string_view> names;
  for (const Tensor& tensor : tensors_) {
    const std::string name = printable(tensor.name);
    const tensor::DTypeInfo& info = tensor::dtype_info(tensor.type);
    if (tensor.name.empty() || tensor.name.size() > kMaxTensorNameBytes)
      return fail(ErrorCode::kUsage,
                  "writing GGUF: a tensor name is {} bytes long, expected 1 to {}",
                  tensor.name.size(), kMaxTensorNameBytes);
    if (tensor.shape.n_dims < 1 || tensor.shape.n_dims > 4 || tensor.shape.elements() == 0)
      return fail(ErrorCode::kUsage, "writing GGUF: tensor '{}': {} dimensions, shape {}", name,
                  tensor.shape.n_dims, to_string(tensor.shape));
    if (tensor.shape.cols() % info.block_elements != 0)
      return fail(ErrorCode::kUsage,
                  "writing GGUF: tensor '{}': rows of {} elements, {} needs a multiple of {}", name,
                  tensor.shape.cols(), info.name, info.block_elements);
    if (!tensor.producer && tensor.data.size() != tensor.bytes())
      return fail(ErrorCode::kUsage, "writing GGUF: tensor '{}' ({} {}): {} bytes, expected {}",
                  name, to_string(tensor.shape), info.name, tensor.data.size(), tensor.bytes());
    names.push_back(tensor.name);
  }
  if (const auto duplicate = NameIndex(std::move(names)).duplicate())
    return fail(ErrorCode::kUsage, "writing GGUF: tensor '{}' was added twice",
                printable(*duplicate));
  return {};
}

std::string GgufWriter::head(std::uint32_t align) const {
  ByteWriter head;
  head.write_bytes("GGUF");
  head.write(kWrittenVersion);
  head.write(static_cast<std::uint64_t>(tensors_.size()));
  head.write(static_cast<std::uint64_t>(entries_.size()));
  for (const Entry& entry : entries_) {
    write_string(head, entry.key);
    head.write(static_cast<std::uint32_t>(entry.type));
    head.write_bytes(entry.payload);
  }
  std::uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    write_string(head, tensor.name);
    head.write(tensor.shape.n_dims);
    for (std::uint32_t d = 0; d < tensor.shape.n_dims; ++d) head.write(tensor.shape.dims[d]);
    head.write(static_cast<std::uint32_t>(tensor.type));
    head.write(offset);
    offset += rounded_up(tensor.bytes(), align);
  }
  head.pad_to(align);
  return head.bytes();
}

Result<std::string> GgufWriter::header_bytes() const {
  EDGELM_TRY(check());
  EDGELM_TRY_ASSIGN(const std::uint32_t align, alignment());
  return head(align);
}

Status GgufWriter::stream(const Sink& sink, const Progress& progress) const {
  EDGELM_TRY(check());
  EDGELM_TRY_ASSIGN(const std::uint32_t align, alignment());
  const std::string first = head(align);
  std::uint64_t total = first.size();
  for (const Tensor& tensor : tensors_) total += rounded_up(tensor.bytes(), align);
  std::uint64_t done = 0;
  const auto put_out = [&](Bytes piece) -> Status {
    EDGELM_TRY(sink(piece));
    done += piece.size();
    if (progress) progress(done, total);
    return {};
  };

  EDGELM_TRY(put_out(as_byte_span(first)));
  std::vector<std::byte> piece;
  for (const Tensor& tensor : tensors_) {
    if (tensor.producer) {
      const std::uint64_t row_bytes = tensor.row_bytes();
      const std::uint64_t step = std::max<std::uint64_t>(1, kPieceBytes / row_bytes);
      for (std::uint64_t row = 0; row < tensor.shape.rows(); row += step) {
        piece.resize(std::min(step, tensor.shape.rows() - row) * row_bytes);
        EDGELM_TRY(tensor.producer(row, piece));
        EDGELM_TRY(put_out(piece));
      }
    } else {
      EDGELM_TRY(put_out(tensor.data));
    }
    piece.assign(rounded_up(tensor.bytes(), align) - tensor.bytes(), std::byte{0});
    if (!piece.empty()) EDGELM_TRY(put_out(piece));
  }
  return {};
}

Result<std::string> GgufWriter::to_bytes() const {
  std::string out;
  EDGELM_TRY(stream([&out](Bytes piece) -> Status {
    out.append(as_chars(piece));
    return {};
  }));
  return out;
}

Status GgufWriter::write(const std::string& path, const Progress& progress) const {
  EDGELM_TRY_ASSIGN(os::NewFile file, os::NewFile::create(path));
  EDGELM_TRY(stream([&file](Bytes piece) { return file.append(piece); }, progress));
  return file.commit();
}

}  // namespace edgelm::formats
