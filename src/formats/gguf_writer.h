#pragma once
// Writes GGUF v3: the mirror of gguf.h. Used by tools that make models, and by tests that need one.
//
//   GgufWriter writer;
//   writer.set("general.architecture", "llama");
//   writer.set("llama.block_count", std::uint32_t{2});
//   writer.add_tensor("output_norm.weight", tensor::DType::kF32, shape, bytes);
//   auto status = writer.write("model.gguf");
//
// Keys keep the order in which they were first set; setting one again replaces its value.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/gguf.h"
#include "tensor/view.h"

namespace edgelm::formats {

// The value type in a file of a C++ type; only the types of the format have one.
template <class T>
consteval GgufType gguf_type_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return GgufType::kU8;
  if constexpr (std::is_same_v<T, std::int8_t>) return GgufType::kI8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return GgufType::kU16;
  if constexpr (std::is_same_v<T, std::int16_t>) return GgufType::kI16;
  if constexpr (std::is_same_v<T, std::uint32_t>) return GgufType::kU32;
  if constexpr (std::is_same_v<T, std::int32_t>) return GgufType::kI32;
  if constexpr (std::is_same_v<T, float>) return GgufType::kF32;
  if constexpr (std::is_same_v<T, bool>) return GgufType::kBool;
  if constexpr (std::is_same_v<T, std::uint64_t>) return GgufType::kU64;
  if constexpr (std::is_same_v<T, std::int64_t>) return GgufType::kI64;
  if constexpr (std::is_same_v<T, double>) return GgufType::kF64;
}

class GgufWriter {
 public:
  // Fills `out` with whole rows of the tensor, from row `first_row` on. Called in order, each row
  // once, so that no tensor need ever be in memory.
  using Producer = std::function<Status(std::uint64_t first_row, std::span<std::byte> out)>;
  using Sink = std::function<Status(Bytes piece)>;
  using Progress = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

  template <class T>
    requires std::is_arithmetic_v<T>
  void set(std::string_view key, T value) {
    ByteWriter payload;
    payload.write(value);
    put(key, gguf_type_of<T>(), payload.bytes());
  }
  void set(std::string_view key, std::string_view text);
  void set(std::string_view key, const char* text) { set(key, std::string_view(text)); }

  template <class T>
    requires std::is_arithmetic_v<T>
  void set_array(std::string_view key, std::span<const T> values) {
    ByteWriter payload;
    for (const T value : values) payload.write(value);
    put_array(key, gguf_type_of<T>(), values.size(), payload.bytes());
  }
  template <class T>
  void set_array(std::string_view key, const std::vector<T>& values) {
    set_array(key, std::span<const T>(values));
  }
  void set_array(std::string_view key, std::span<const std::string> texts);
  void set_array(std::string_view key, const std::vector<std::string>& texts) {
    set_array(key, std::span<const std::string>(texts));
  }
  void set_array(std::string_view key, const std::vector<bool>& flags);

  // Takes over a value of a file that was read, whatever its type.
  void copy(const GgufValue& value);

  // `data` is not owned and must live until the bytes are written.
  void add_tensor(std::string name, tensor::DType type, const tensor::Shape& shape, Bytes data);
  void add_tensor(std::string name, tensor::DType type, const tensor::Shape& shape,
                  Producer producer);

  // The file from its first byte to its last, in pieces of about 1 MiB. Fails when a name is empty,
  // too long or used twice, when a shape does not fit its type or its data, and when a producer or
  // the sink fails.
  Status stream(const Sink& sink, const Progress& progress = {}) const;

  // What precedes the tensor data, padded: enough for a reader that wants no weights.
  Result<std::string> header_bytes() const;

  // The whole file in memory.
  Result<std::string> to_bytes() const;

  // To a file that appears whole or not at all.
  Status write(const std::string& path, const Progress& progress = {}) const;

 private:
  struct Entry {
    std::string key;
    GgufType type;
    std::string payload;
  };
  struct Tensor {
    std::string name;
    tensor::DType type;
    tensor::Shape shape;
    Bytes data;
    Producer producer;  // used instead of `data` when set
    [[nodiscard]] std::uint64_t row_bytes() const;
    [[nodiscard]] std::uint64_t bytes() const { return row_bytes() * shape.rows(); }
  };

  void put(std::string_view key, GgufType type, std::string payload);
  void put_array(std::string_view key, GgufType element, std::uint64_t count,
                 std::string_view packed);
  Result<std::uint32_t> alignment() const;
  Status check() const;
  // Everything before the tensor data, padded.
  [[nodiscard]] std::string head(std::uint32_t align) const;

  std::vector<Entry> entries_;
  std::vector<Tensor> tensors_;
};

}  // namespace edgelm::formats
