// Fuzz target: any bytes as a GGUF file. What the reader accepts is walked as a model loader would:
// every key by every kind of access, every array, both ends of every tensor, one row decoded.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/printable.h"
#include "formats/gguf.h"
#include "formats/gguf_writer.h"

namespace {

using namespace edgelm;

// Larger rows only cost time; the decoder's loop is the same.
constexpr std::uint64_t kMaxRowElements = 4096;

volatile std::size_t sink = 0;  // keeps the reads alive

void require(bool condition) {
  if (!condition) std::abort();
}

void walk_metadata(const formats::GgufFile& file) {
  for (const formats::GgufValue& value : file.metadata()) {
    require(file.find(value.key) == &value);
    sink = sink + printable(value.key).size();
    sink = sink + (file.u64(value.key).has_value() ? 1u : 0u);
    sink = sink + (file.f64(value.key).has_value() ? 1u : 0u);
    sink = sink + (file.boolean(value.key).has_value() ? 1u : 0u);
    if (const auto text = file.string(value.key)) sink = sink + printable(*text).size();
    if (const auto* array = std::get_if<formats::GgufArray>(&value.value)) {
      const auto strings = array->strings();
      const auto numbers = array->numbers();
      require(strings.size() + numbers.size() == array->count);
      for (const std::string_view text : strings)
        if (!text.empty()) sink = sink + static_cast<unsigned char>(text.back());
    }
  }
}

void walk_tensors(const formats::GgufFile& file) {
  for (const tensor::TensorView& view : file.tensors()) {
    require(file.find_tensor(view.name) == &view);
    require(view.data.size() == view.shape.rows() * view.row_bytes());
    sink = sink + static_cast<std::size_t>(view.data.front()) +
           static_cast<std::size_t>(view.data.back()) + to_string(view.shape).size();
    if (view.shape.cols() > kMaxRowElements) continue;
    std::vector<float> row(static_cast<std::size_t>(view.shape.cols()));
    tensor::dtype_info(view.type).dequantize(view.row(view.shape.rows() - 1), row.size(),
                                             row.data());
  }
}

// A file that was read can be written, and reads as the same file again.
void rewrite(const formats::GgufFile& file) {
  formats::GgufWriter writer;
  for (const formats::GgufValue& value : file.metadata()) writer.copy(value);
  for (const tensor::TensorView& view : file.tensors())
    writer.add_tensor(std::string(view.name), view.type, view.shape, view.data);
  const auto bytes = writer.to_bytes();
  if (!bytes) return;  // the reader takes alignments 1, 2 and 4, the writer does not
  const auto again = formats::GgufFile::parse(as_byte_span(*bytes), "again");
  require(again.has_value());
  require(again->metadata().size() == file.metadata().size());
  require(again->tensors().size() == file.tensors().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const auto header = formats::GgufFile::parse(bytes, "input", formats::TypePolicy::kHeader);
  const auto known = formats::GgufFile::parse(bytes, "input", formats::TypePolicy::kKnown);
  const auto runnable = formats::GgufFile::parse(bytes, "input");
  require(known.has_value() || !runnable.has_value());
  require(header.has_value() || !known.has_value());
  if (known) walk_metadata(*known);
  if (!runnable) return 0;
  walk_tensors(*runnable);
  rewrite(*runnable);
  return 0;
}
