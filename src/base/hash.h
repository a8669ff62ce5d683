#pragma once
// A fast 64-bit hash (XXH3) to recognise bytes and to find damage by accident. Not against people:
// whoever can choose the bytes can make two that hash alike. The value is the same on every machine
// and in every version, so it may be written to files.

#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace edgelm {

std::uint64_t hash64(Bytes bytes);

// The same value for bytes that come in pieces.
class Hash64 {
 public:
  Hash64();
  Hash64(Hash64&&) noexcept;
  Hash64& operator=(Hash64&&) noexcept;
  ~Hash64();

  void update(Bytes bytes);
  template <class T>
    requires std::is_arithmetic_v<T>
  void update_value(T value) {  // as little-endian bytes
    char raw[sizeof(T)];
    store_le(raw, value);
    update(as_byte_span({raw, sizeof(T)}));
  }
  [[nodiscard]] std::uint64_t digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgelm
