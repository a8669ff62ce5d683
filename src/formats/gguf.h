#pragma once
// GGUF v2 and v3 model files, read-only and validated: bytes in, typed views out. Nothing that
// comes from the file is used before it is checked; every error names file, place, expected and
// got, on one line and with control characters escaped. What is checked: docs in gguf_part.h.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
//
// Byte layout (little endian): "GGUF" | u32 version | u64 n_tensors | u64 n_kv | key-values |
// tensor infos | padding to general.alignment (default 32) | tensor data.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "os/file.h"
#include "tensor/view.h"

namespace edgelm::formats {

// Value types, ids as in the file.
enum class GgufType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

std::string_view gguf_type_name(GgufType type);

// An array of scalars or strings, still in file order inside the mapping. Nested arrays are
// rejected by the reader (no known model uses them).
struct GgufArray {
  GgufType element_type = GgufType::kU8;
  std::uint64_t count = 0;
  Bytes data;  // `count` packed elements; for strings u64 length + bytes each, already validated

  [[nodiscard]] std::vector<std::string_view> strings() const;  // empty unless kString
  [[nodiscard]] std::vector<double> numbers() const;            // empty unless numeric or bool
};

using GgufScalar =
    std::variant<std::uint64_t, std::int64_t, double, bool, std::string_view, GgufArray>;

struct GgufValue {
  std::string_view key;  // not owned: views into the file
  GgufType type = GgufType::kU8;
  GgufScalar value;  // unsigned ints widen to u64, signed to i64, floats to double
};

// One entry of the tensor table, also for types that the format defines but this build cannot run.
struct GgufTensorInfo {
  std::string_view name;  // not owned: views into the file
  std::uint32_t type_id = 0;
  tensor::Shape shape;
  std::uint64_t offset = 0;  // from the start of the part it lies in
  std::uint64_t bytes = 0;   // of its data
  Bytes data;                // not owned; empty with TypePolicy::kHeader
};

// What to do with tensors of a type that this build cannot run.
enum class TypePolicy {
  kRunnable,  // refuse the file: the caller wants to compute with it
  kKnown,     // keep them in tensor_infos() only: the caller wants to look at it
  kHeader,    // the bytes are the beginning of a file: all tensors in tensor_infos() only, no data
};

class GgufFile {
 public:
  // Maps `path` and checks it. A path `...-0000K-of-0000N.gguf` opens all N parts as one model.
  static Result<GgufFile> open(const std::string& path, TypePolicy policy = TypePolicy::kRunnable);

  // The same checks over a mapping that the result takes over. Split files cannot be opened this
  // way.
  static Result<GgufFile> adopt(os::MappedFile map, std::string name,
                                TypePolicy policy = TypePolicy::kRunnable);

  // The same checks over bytes in memory (not owned; must outlive the result). `name` is for
  // messages. Split files cannot be parsed this way.
  static Result<GgufFile> parse(Bytes bytes, std::string name,
                                TypePolicy policy = TypePolicy::kRunnable);

  GgufFile(GgufFile&&) noexcept;
  GgufFile& operator=(GgufFile&&) noexcept;
  ~GgufFile();

  [[nodiscard]] const std::string& path() const;
  // Names what was opened, for caches of what is made from it: a line per part with its stamp
  // (os/file.h) and a hash of its header. Another text when anything may have changed; empty when
  // that cannot be told, as of bytes in memory and files that have only just been written.
  [[nodiscard]] std::string identity() const;
  [[nodiscard]] std::uint32_t version() const;
  [[nodiscard]] std::uint64_t file_bytes() const;  // all parts together
  [[nodiscard]] std::uint32_t n_parts() const;
  [[nodiscard]] std::span<const GgufValue> metadata() const;           // in file order (first part)
  [[nodiscard]] std::span<const tensor::TensorView> tensors() const;   // all parts, in file order
  [[nodiscard]] std::span<const GgufTensorInfo> tensor_infos() const;  // the same, see TypePolicy

  [[nodiscard]] const GgufValue* find(std::string_view key) const;  // nullptr when absent
  [[nodiscard]] const tensor::TensorView* find_tensor(std::string_view name) const;

  // Typed access. The Result forms fail with a message naming file, key, expected and got when the
  // key is absent or of another kind; the *_or forms fail only when it is of another kind.
  [[nodiscard]] Result<std::uint64_t> u64(std::string_view key) const;  // any non-negative integer
  [[nodiscard]] Result<double> f64(std::string_view key) const;         // any finite number
  [[nodiscard]] Result<bool> boolean(std::string_view key) const;
  [[nodiscard]] Result<std::string_view> string(std::string_view key) const;
  [[nodiscard]] Result<GgufArray> array(std::string_view key, GgufType element_type) const;
  [[nodiscard]] Result<std::uint64_t> u64_or(std::string_view key, std::uint64_t fallback) const;
  [[nodiscard]] Result<double> f64_or(std::string_view key, double fallback) const;
  [[nodiscard]] Result<bool> boolean_or(std::string_view key, bool fallback) const;
  [[nodiscard]] Result<std::string_view> string_or(std::string_view key,
                                                   std::string_view fallback) const;

 private:
  struct State;
  explicit GgufFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace edgelm::formats
