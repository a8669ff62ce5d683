// Typed access to metadata: arrays in file order as vectors, scalars by the kind a caller expects.

#include <array>
#include <cmath>

#include "base/printable.h"
#include "formats/gguf.h"
#include "formats/gguf_part.h"

namespace edgelm::formats {
namespace {

template <class T>
void append_numbers(Bytes data, std::vector<double>& out) {
  for (std::size_t at = 0; at + sizeof(T) <= data.size(); at += sizeof(T))
    out.push_back(static_cast<double>(load_le<T>(data.data() + at)));
}

// "u32", or for arrays "array of string".
std::string describe(const GgufValue& value) {
  const auto* array = std::get_if<GgufArray>(&value.value);
  return array == nullptr ? std::string(gguf_type_name(value.type))
                          : fmt::format("array of {}", gguf_type_name(array->element_type));
}

tl::unexpected<Error> wrong_kind(const GgufFile& file, const GgufValue& value,
                                 std::string_view expected) {
  return fail(ErrorCode::kFormat, "{}: key '{}': expected {}, got {}", file.path(),
              printable(value.key), expected, describe(value));
}

Result<std::uint64_t> as_u64(const GgufFile& file, const GgufValue& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value.value)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value.value)) {
    if (*number >= 0) return static_cast<std::uint64_t>(*number);
    return fail(ErrorCode::kFormat, "{}: key '{}': expected a non-negative integer, got {}",
                file.path(), printable(value.key), *number);
  }
  return wrong_kind(file, value, "a non-negative integer");
}

Result<double> as_f64(const GgufFile& file, const GgufValue& value) {
  if (const auto* number = std::get_if<double>(&value.value)) {
    if (std::isfinite(*number)) return *number;
    return fail(ErrorCode::kFormat, "{}: key '{}': expected a finite number, got {}", file.path(),
                printable(value.key), *number);
  }
  if (const auto* number = std::get_if<std::uint64_t>(&value.value))
    return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::int64_t>(&value.value))
    return static_cast<double>(*number);
  return wrong_kind(file, value, "a number");
}

Result<bool> as_bool(const GgufFile& file, const GgufValue& value) {
  if (const auto* flag = std::get_if<bool>(&value.value)) return *flag;
  return wrong_kind(file, value, "a bool");
}

Result<std::string_view> as_string(const GgufFile& file, const GgufValue& value) {
  if (const auto* text = std::get_if<std::string_view>(&value.value)) return *text;
  return wrong_kind(file, value, "a string");
}

// Finds `key` and converts it; absent keys fail, or yield the fallback in the *_or forms.
template <class Convert>
auto required(const GgufFile& file, std::string_view key, Convert convert)
    -> decltype(convert(file, GgufValue{})) {
  if (const GgufValue* value = file.find(key)) return convert(file, *value);
  return fail(ErrorCode::kFormat, "{}: key '{}' is missing", file.path(), printable(key));
}

template <class Convert, class T>
auto with_fallback(const GgufFile& file, std::string_view key, Convert convert, T fallback)
    -> decltype(convert(file, GgufValue{})) {
  if (const GgufValue* value = file.find(key)) return convert(file, *value);
  return fallback;
}

}  // namespace

std::string_view gguf_type_name(GgufType type) {
  constexpr std::array<std::string_view, 13> kNames = {"u8",  "i8",  "u16",  "i16",    "u32",
                                                       "i32", "f32", "bool", "string", "array",
                                                       "u64", "i64", "f64"};
  const auto id = static_cast<std::size_t>(type);
  return id < kNames.size() ? kNames[id] : "unknown";
}

std::vector<std::string_view> GgufArray::strings() const {
  std::vector<std::string_view> out;
  if (element_type != GgufType::kString) return out;
  out.reserve(static_cast<std::size_t>(count));
  ByteReader reader(data);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto length = reader.read<std::uint64_t>();
    const auto bytes = length ? reader.take(*length) : std::nullopt;
    if (!bytes) break;  // cannot happen to an array that the reader has checked
    out.push_back(as_chars(*bytes));
  }
  return out;
}

std::vector<double> GgufArray::numbers() const {
  std::vector<double> out;
  const std::uint64_t width = scalar_bytes(element_type);
  if (width == 0) return out;
  out.reserve(data.size() / width);
  switch (element_type) {
    case GgufType::kU8:
    case GgufType::kBool:
      append_numbers<std::uint8_t>(data, out);
      break;
    case GgufType::kI8:
      append_numbers<std::int8_t>(data, out);
      break;
    case GgufType::kU16:
      append_numbers<std::uint16_t>(data, out);
      break;
    case GgufType::kI16:
      append_numbers<std::int16_t>(data, out);
      break;
    case GgufType::kU32:
      append_numbers<std::uint32_t>(data, out);
      break;
    case GgufType::kI32:
      append_numbers<std::int32_t>(data, out);
      break;
    case GgufType::kF32:
      append_numbers<float>(data, out);
      break;
    case GgufType::kU64:
      append_numbers<std::uint64_t>(data, out);
      break;
    case GgufType::kI64:
      append_numbers<std::int64_t>(data, out);
      break;
    case GgufType::kF64:
      append_numbers<double>(data, out);
      break;
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  return out;
}

Result<std::uint64_t> GgufFile::u64(std::string_view key) const {
  return required(*this, key, as_u64);
}
Result<double> GgufFile::f64(std::string_view key) const { return required(*this, key, as_f64); }
Result<bool> GgufFile::boolean(std::string_view key) const { return required(*this, key, as_bool); }
Result<std::string_view> GgufFile::string(std::string_view key) const {
  return required(*this, key, as_string);
}
Result<std::uint64_t> GgufFile::u64_or(std::string_view key, std::uint64_t fallback) const {
  return with_fallback(*this, key, as_u64, fallback);
}
Result<double> GgufFile::f64_or(std::string_view key, double fallback) const {
  return with_fallback(*this, key, as_f64, fallback);
}
Result<bool> GgufFile::boolean_or(std::string_view key, bool fallback) const {
  return with_fallback(*this, key, as_bool, fallback);
}
Result<std::string_view> GgufFile::string_or(std::string_view key,
                                             std::string_view fallback) const {
  return with_fallback(*this, key, as_string, fallback);
}

Result<GgufArray> GgufFile::array(std::string_view key, GgufType element_type) const {
  return required(
      *this, key, [&](const GgufFile& file, const GgufValue& value) -> Result<GgufArray> {
        const auto* array = std::get_if<GgufArray>(&value.value);
        if (array == nullptr || array->element_type != element_type)
          return wrong_kind(file, value, fmt::format("array of {}", gguf_type_name(element_type)));
        return *array;
      });
}

}  // namespace edgelm::formats
