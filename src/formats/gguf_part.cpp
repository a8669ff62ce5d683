// The walk over one file: header and key-values here, the tensor table in gguf_tensors.cpp.

#include "formats/gguf_part.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "base/printable.h"
#include "formats/gguf_tensors.h"
#include "formats/identify.h"
#include "formats/name_index.h"

namespace edgelm::formats {
namespace {

// Smallest possible key-value: key length, one character, value type, one byte.
constexpr std::uint64_t kMinKeyValueBytes = 8 + 1 + 4 + 1;

class MetadataParser {
 public:
  MetadataParser(ByteReader& reader, const std::string& name) : reader_(reader), name_(name) {}

  Result<std::vector<GgufValue>> parse(std::uint64_t count) {
    std::vector<GgufValue> values;
    values.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
      place_ = fmt::format("key-value {} of {}", i + 1, count);
      EDGELM_TRY_ASSIGN(GgufValue value, parse_one());
      values.push_back(value);
    }
    std::vector<std::string_view> keys;
    keys.reserve(values.size());
    for (const GgufValue& value : values) keys.push_back(value.key);
    if (const auto duplicate = NameIndex(std::move(keys)).duplicate())
      return fail(ErrorCode::kFormat, "{}: key '{}' occurs twice", name_, printable(*duplicate));
    return values;
  }

 private:
  tl::unexpected<Error> truncated() const {
    return fail(ErrorCode::kFormat, "{}: truncated: the file ends inside {}", name_, place_);
  }

  Result<std::string_view> read_string(std::string_view what, std::uint64_t max_bytes) {
    const auto length = reader_.read<std::uint64_t>();
    if (!length) return truncated();
    if (*length > max_bytes)
      return fail(ErrorCode::kFormat, "{}: {}: the {} is {} bytes long, the limit is {}", name_,
                  place_, what, *length, max_bytes);
    const auto bytes = reader_.take(*length);
    if (!bytes)
      return fail(ErrorCode::kFormat,
                  "{}: {}: the {} is said to be {} bytes long, {} bytes are left in the file "
                  "(truncated?)",
                  name_, place_, what, *length, reader_.remaining());
    return as_chars(*bytes);
  }

  Result<GgufType> read_type(std::string_view what) {
    const auto id = reader_.read<std::uint32_t>();
    if (!id) return truncated();
    if (*id > static_cast<std::uint32_t>(GgufType::kF64))
      return fail(ErrorCode::kFormat, "{}: {}: unknown {} {}, expected 0 to 12", name_, place_,
                  what, *id);
    return static_cast<GgufType>(*id);
  }

  Result<GgufValue> parse_one() {
    GgufValue result;
    EDGELM_TRY_ASSIGN(result.key, read_string("key", kMaxKeyBytes));
    if (result.key.empty())
      return fail(ErrorCode::kFormat, "{}: {}: the key is empty", name_, place_);
    place_ += fmt::format(" ('{}')", printable(result.key));
    EDGELM_TRY_ASSIGN(result.type, read_type("value type"));
    EDGELM_TRY_ASSIGN(result.value, read_value(result.type));
    return result;
  }

  // Reads a T and widens it to the alternative W of the variant.
  template <class T, class W>
  Result<GgufScalar> read_as() {
    const auto value = reader_.read<T>();
    if (!value) return truncated();
    return GgufScalar(static_cast<W>(*value));
  }

  Result<GgufScalar> read_value(GgufType type) {
    switch (type) {
      case GgufType::kU8:
        return read_as<std::uint8_t, std::uint64_t>();
      case GgufType::kI8:
        return read_as<std::int8_t, std::int64_t>();
      case GgufType::kU16:
        return read_as<std::uint16_t, std::uint64_t>();
      case GgufType::kI16:
        return read_as<std::int16_t, std::int64_t>();
      case GgufType::kU32:
        return read_as<std::uint32_t, std::uint64_t>();
      case GgufType::kI32:
        return read_as<std::int32_t, std::int64_t>();
      case GgufType::kF32:
        return read_as<float, double>();
      case GgufType::kU64:
        return read_as<std::uint64_t, std::uint64_t>();
      case GgufType::kI64:
        return read_as<std::int64_t, std::int64_t>();
      case GgufType::kF64:
        return read_as<double, double>();
      case GgufType::kBool: {
        const auto value = reader_.read<std::uint8_t>();
        if (!value) return truncated();
        if (*value > 1) return bad_bool(*value);
        return GgufScalar(*value == 1);
      }
      case GgufType::kString: {
        EDGELM_TRY_ASSIGN(const std::string_view text, read_string("string", UINT64_MAX));
        return GgufScalar(text);
      }
      case GgufType::kArray: {
        EDGELM_TRY_ASSIGN(const GgufArray array, read_array());
        return GgufScalar(array);
      }
    }
    return fail(ErrorCode::kInternal, "{}: {}: unhandled value type", name_, place_);
  }

  tl::unexpected<Error> bad_bool(unsigned got) const {
    return fail(ErrorCode::kFormat, "{}: {}: a bool is the byte {}, expected 0 or 1", name_, place_,
                got);
  }

  Result<GgufArray> read_array() {
    GgufArray array;
    EDGELM_TRY_ASSIGN(array.element_type, read_type("array element type"));
    if (array.element_type == GgufType::kArray)
      return fail(ErrorCode::kUnsupported, "{}: {}: an array of arrays, which no known model needs",
                  name_, place_);
    const auto count = reader_.read<std::uint64_t>();
    if (!count) return truncated();
    array.count = *count;
    const bool strings = array.element_type == GgufType::kString;
    // A string is at least its length. The product cannot wrap once the count is bounded.
    const std::uint64_t min_bytes =
        strings ? sizeof(std::uint64_t) : scalar_bytes(array.element_type);
    if (array.count > reader_.remaining() / min_bytes)
      return fail(
          ErrorCode::kFormat,
          "{}: {}: an array of {} elements ({}), {} bytes are left in the file (truncated?)", name_,
          place_, array.count, gguf_type_name(array.element_type), reader_.remaining());
    if (strings) {
      EDGELM_TRY_ASSIGN(array.data, read_strings(array.count));
      return array;
    }
    array.data = *reader_.take(array.count * min_bytes);
    if (array.element_type == GgufType::kBool)
      for (const std::byte byte : array.data)
        if (byte > std::byte{1}) return bad_bool(static_cast<unsigned>(byte));
    return array;
  }

  // Steps over `count` strings; a vocabulary has hundreds of thousands, so nothing is stored.
  Result<Bytes> read_strings(std::uint64_t count) {
    ByteReader ahead = reader_;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto length = ahead.read<std::uint64_t>();
      if (!length || !ahead.take(*length))
        return fail(ErrorCode::kFormat,
                    "{}: {}: element {} of {} (a string) does not fit into the file (truncated?)",
                    name_, place_, i, count);
    }
    return *reader_.take(ahead.position() - reader_.position());
  }

  ByteReader& reader_;
  const std::string& name_;
  std::string place_;  // what is being read, for messages
};

Status check_count(const std::string& name, std::string_view what, std::uint64_t count,
                   std::uint64_t limit, std::uint64_t min_bytes, std::uint64_t remaining) {
  if (count > remaining / min_bytes)
    return fail(
        ErrorCode::kFormat,
        "{}: the header promises {} {}, the {} bytes after it hold at most {} (truncated or "
        "damaged?)",
        name, count, what, remaining, remaining / min_bytes);
  if (count > limit)
    return fail(ErrorCode::kLimit, "{}: {} {}, the limit is {}", name, count, what, limit);
  return {};
}

Result<std::uint32_t> read_alignment(const std::string& name,
                                     const std::vector<GgufValue>& values) {
  for (const GgufValue& value : values) {
    if (value.key != "general.alignment") continue;
    if (value.type != GgufType::kU32)
      return fail(ErrorCode::kFormat, "{}: key 'general.alignment': expected u32, got {}", name,
                  gguf_type_name(value.type));
    const std::uint64_t alignment = std::get<std::uint64_t>(value.value);
    const bool power_of_two = alignment != 0 && (alignment & (alignment - 1)) == 0;
    // The format asks for a multiple of 8, the reference program for a power of two: allow both.
    if (alignment == 0 || alignment > kMaxAlignment || (!power_of_two && alignment % 8 != 0))
      return fail(ErrorCode::kFormat,
                  "{}: key 'general.alignment' is {}, expected a multiple of 8 up to {}", name,
                  alignment, kMaxAlignment);
    return static_cast<std::uint32_t>(alignment);
  }
  return kDefaultAlignment;
}

}  // namespace

std::uint64_t scalar_bytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      return 0;
  }
  return 0;
}

Result<GgufPart> parse_part(Bytes bytes, const std::string& name, TypePolicy policy) {
  if (const auto reason = why_not_gguf(bytes))
    return fail(ErrorCode::kFormat, "{}: {}", name, *reason);
  ByteReader reader(bytes);
  const auto magic = reader.take(4);
  const auto version = reader.read<std::uint32_t>();
  const auto n_tensors = version == 1u ? std::nullopt : reader.read<std::uint64_t>();
  const auto n_values = reader.read<std::uint64_t>();
  if (version == 1u)
    return fail(ErrorCode::kUnsupported,
                "{}: GGUF version 1 (2023), edgelm reads 2 and 3; convert or download a newer file",
                name);
  if (version && *version != 2 && *version != 3)
    return fail(ErrorCode::kUnsupported, "{}: GGUF version {}, edgelm reads 2 and 3", name,
                *version);
  if (!magic || !version || !n_tensors || !n_values)
    return fail(ErrorCode::kFormat,
                "{}: truncated: the file is {} bytes long, a GGUF header is 24 bytes", name,
                bytes.size());
  EDGELM_TRY(check_count(name, "key-values", *n_values, kMaxKeyValues, kMinKeyValueBytes,
                         reader.remaining()));
  EDGELM_TRY(check_count(name, "tensors", *n_tensors, kMaxTensors, kMinTensorInfoBytes,
                         reader.remaining()));

  GgufPart part;
  part.version = *version;
  EDGELM_TRY_ASSIGN(part.metadata, MetadataParser(reader, name).parse(*n_values));
  EDGELM_TRY_ASSIGN(const std::uint32_t alignment, read_alignment(name, part.metadata));
  EDGELM_TRY_ASSIGN(part.tensors,
                    parse_tensors(bytes, reader, name, *n_tensors, alignment, policy));
  part.header = bytes.first(reader.position());
  return part;
}

}  // namespace edgelm::formats
