#pragma once
// Little-endian access to bytes. ByteReader walks a span and never reads past its end; every read
// says whether it succeeded, so a truncated file is an error value, not a crash.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace edgelm {

using Bytes = std::span<const std::byte>;

// Unaligned little-endian load. edgelm supports little-endian hosts only (checked in bytes.cpp).
template <class T>
  requires std::is_trivially_copyable_v<T>
T load_le(const void* source) {
  T value;
  std::memcpy(&value, source, sizeof(T));
  return value;
}

template <class T>
  requires std::is_trivially_copyable_v<T>
void store_le(void* target, T value) {
  std::memcpy(target, &value, sizeof(T));
}

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size() - position_; }

  template <class T>
  [[nodiscard]] std::optional<T> read() {
    if (remaining() < sizeof(T)) return std::nullopt;
    const T value = load_le<T>(bytes_.data() + position_);
    position_ += sizeof(T);
    return value;
  }

  // The next `count` bytes as a view into the underlying span (not owned).
  [[nodiscard]] std::optional<Bytes> take(std::uint64_t count) {
    if (count > remaining()) return std::nullopt;
    const Bytes view = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += view.size();
    return view;
  }

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
};

inline std::string_view as_chars(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes as_byte_span(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Growing little-endian output buffer, for writers.
class ByteWriter {
 public:
  template <class T>
  void write(T value) {
    char raw[sizeof(T)];
    store_le(raw, value);
    buffer_.append(raw, sizeof(T));
  }
  void write_bytes(std::string_view bytes) { buffer_.append(bytes); }
  void pad_to(std::size_t alignment) {
    buffer_.append((alignment - buffer_.size() % alignment) % alignment, '\0');
  }
  [[nodiscard]] std::size_t size() const { return buffer_.size(); }
  [[nodiscard]] const std::string& bytes() const { return buffer_; }

 private:
  std::string buffer_;
};

}  // namespace edgelm
