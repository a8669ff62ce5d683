// Walks "GGUF" | u32 version | u64 n_tensors | u64 n_kv | key-values | tensor infos, little endian
// (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), and keeps nothing.

#include "endpoint/gguf_extent.h"

#include <cstddef>
#include <iterator>

namespace edgelm::endpoint {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 32;  // of a header; far beyond any real one
constexpr std::uint64_t kMaxDims = 8;
constexpr std::uint32_t kString = 8;
constexpr std::uint32_t kArray = 9;

class Walker {
 public:
  explicit Walker(std::string_view start) : start_(start) {}

  GgufExtent walk() {
    if (start_.size() >= 4 && !start_.starts_with("GGUF")) return {};
    skip(4);
    const std::uint64_t version = read(4);
    const std::uint64_t n_tensors = read(8);
    const std::uint64_t n_values = read(8);
    if (!more_ && (version < 2 || version > 3)) return {};
    for (std::uint64_t i = 0; i < n_values && ok(); ++i) {
      text();
      value(static_cast<std::uint32_t>(read(4)));
    }
    for (std::uint64_t i = 0; i < n_tensors && ok(); ++i) {
      text();
      const std::uint64_t n_dims = read(4);
      if (n_dims > kMaxDims) bad_ = true;
      skip(8 * n_dims + 4 + 8);
    }
    if (bad_) return {};
    return {more_ ? GgufExtent::Kind::kMore : GgufExtent::Kind::kWhole, at_};
  }

 private:
  [[nodiscard]] bool ok() const { return !more_ && !bad_; }

  // Moves past `n` bytes; when they are not there yet, `at_` is where they end.
  void skip(std::uint64_t n) {
    if (!ok()) return;
    if (n > kMaxBytes || at_ + n > kMaxBytes) {
      bad_ = true;
      return;
    }
    at_ += n;
    more_ = at_ > start_.size();
  }
  std::uint64_t read(std::uint64_t n) {
    const std::uint64_t from = at_;
    skip(n);
    if (!ok()) return 0;
    std::uint64_t value = 0;
    for (std::uint64_t i = n; i > 0; --i)
      value =
          value << 8 | static_cast<unsigned char>(start_[static_cast<std::size_t>(from + i - 1)]);
    return value;
  }
  void text() { skip(read(8)); }
  void value(std::uint32_t type) {
    if (!ok()) return;
    if (type == kString) {
      text();
    } else if (type == kArray) {
      const auto element = static_cast<std::uint32_t>(read(4));
      const std::uint64_t count = read(8);
      if (!ok()) return;
      if (element == kString) {
        for (std::uint64_t i = 0; i < count && ok(); ++i) text();
      } else if (size_of(element) == 0 || count > kMaxBytes) {
        bad_ = true;  // arrays of arrays: no model has them
      } else {
        skip(count * size_of(element));
      }
    } else if (size_of(type) == 0) {
      bad_ = true;
    } else {
      skip(size_of(type));
    }
  }
  // Of a scalar; 0 for what is none.
  static std::uint64_t size_of(std::uint32_t type) {
    constexpr std::uint64_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < std::size(kSizes) ? kSizes[type] : 0;
  }

  std::string_view start_;
  std::uint64_t at_ = 0;
  bool more_ = false;
  bool bad_ = false;
};

}  // namespace

GgufExtent gguf_extent(std::string_view start) { return Walker(start).walk(); }

}  // namespace edgelm::endpoint
