#pragma once
// Writes GGUF bytes field by field, with no opinion on whether they are valid: for tests of readers
// against damaged and hostile files. For valid models use formats::GgufWriter.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace edgelm::test {

class GgufBuilder {
 public:
  // The counts are what the header promises; nothing checks them.
  GgufBuilder(std::uint64_t n_tensors, std::uint64_t n_values, std::uint32_t version = 3) {
    out_.write_bytes("GGUF");
    out_.write(version);
    out_.write(n_tensors);
    out_.write(n_values);
  }

  GgufBuilder& text(std::string_view bytes) {  // u64 length, bytes
    out_.write(static_cast<std::uint64_t>(bytes.size()));
    out_.write_bytes(bytes);
    return *this;
  }
  template <class T>
  GgufBuilder& raw(T value) {
    out_.write(value);
    return *this;
  }
  // Key and value type id; the value follows by raw() or text().
  GgufBuilder& key(std::string_view name, std::uint32_t type) { return text(name).raw(type); }
  GgufBuilder& u32(std::string_view name, std::uint32_t value) { return key(name, 4).raw(value); }
  GgufBuilder& u16(std::string_view name, std::uint16_t value) { return key(name, 2).raw(value); }
  GgufBuilder& i32(std::string_view name, std::int32_t value) { return key(name, 5).raw(value); }
  GgufBuilder& string(std::string_view name, std::string_view value) {
    return key(name, 8).text(value);
  }
  // An array's header; its elements follow.
  GgufBuilder& array(std::string_view name, std::uint32_t element_type, std::uint64_t count) {
    return key(name, 9).raw(element_type).raw(count);
  }
  GgufBuilder& tensor(std::string_view name, std::initializer_list<std::uint64_t> dims,
                      std::uint32_t type, std::uint64_t offset) {
    text(name).raw(static_cast<std::uint32_t>(dims.size()));
    for (const std::uint64_t dim : dims) raw(dim);
    return raw(type).raw(offset);
  }
  // Padding to `alignment`, then `n_bytes` of tensor data.
  GgufBuilder& data(std::size_t n_bytes, std::size_t alignment = 32) {
    out_.pad_to(alignment);
    out_.write_bytes(std::string(n_bytes, '\x11'));
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return out_.bytes(); }

 private:
  ByteWriter out_;
};

}  // namespace edgelm::test
