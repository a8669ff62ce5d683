// Totals and shortened values.

#include "formats/gguf_summary.h"

#include <algorithm>
#include <string_view>

#include "base/printable.h"
#include "formats/gguf_part.h"

namespace edgelm::formats {
namespace {

void add(TypeTotal& total, const GgufTensorInfo& tensor) {
  total.n_tensors += 1;
  total.elements += tensor.shape.elements();
  total.bytes += tensor.data.size();
}

// Bytes of the first `n` elements; strings carry their lengths with them.
std::size_t prefix_bytes(const GgufArray& array, std::uint64_t n) {
  if (array.element_type != GgufType::kString)
    return static_cast<std::size_t>(n * scalar_bytes(array.element_type));
  ByteReader reader(array.data);
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto length = reader.read<std::uint64_t>();
    if (!length || !reader.take(*length)) break;
  }
  return reader.position();
}

// The shortest text that reads back as the same number of that width: 1e-05, not 9.99999975e-06.
std::string brief_real(double number, GgufType type) {
  return type == GgufType::kF32 ? fmt::format("{}", static_cast<float>(number))
                                : fmt::format("{}", number);
}

std::string brief_array(const GgufArray& array, std::size_t max_bytes) {
  // Every shown element takes two characters or more, so this many are enough.
  const GgufArray head = first_elements(array, max_bytes / 2 + 1);
  std::vector<std::string> shown;
  for (const std::string_view text : head.strings())
    shown.push_back(fmt::format("\"{}\"", printable(text, max_bytes)));
  for (const double number : head.numbers())
    shown.push_back(array.element_type == GgufType::kBool ? (number != 0 ? "true" : "false")
                                                          : brief_real(number, array.element_type));
  std::string out = "[";
  std::uint64_t n_written = 0;
  for (const std::string& text : shown) {
    if (n_written > 0 && out.size() + text.size() > max_bytes) break;
    out += n_written > 0 ? ", " + text : text;
    ++n_written;
  }
  return out + (n_written < array.count ? fmt::format(", ...] ({})", array.count) : "]");
}

struct BriefWriter {
  GgufType type;
  std::size_t max_bytes;
  std::string operator()(bool flag) const { return flag ? "true" : "false"; }
  std::string operator()(std::uint64_t number) const { return fmt::format("{}", number); }
  std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }
  std::string operator()(double number) const { return brief_real(number, type); }
  std::string operator()(std::string_view text) const { return printable(text, max_bytes); }
  std::string operator()(const GgufArray& array) const { return brief_array(array, max_bytes); }
};

}  // namespace

double TypeTotal::bits_per_weight() const {
  return elements == 0 ? 0.0 : 8.0 * static_cast<double>(bytes) / static_cast<double>(elements);
}

TensorTotals total_tensors(const GgufFile& file) {
  TensorTotals totals;
  for (const GgufTensorInfo& tensor : file.tensor_infos()) {
    const auto same = [&](const TypeTotal& total) { return total.type_id == tensor.type_id; };
    auto hit = std::find_if(totals.types.begin(), totals.types.end(), same);
    if (hit == totals.types.end())
      hit = totals.types.insert(hit, TypeTotal{.type_id = tensor.type_id});
    add(*hit, tensor);
    add(totals.all, tensor);
  }
  std::sort(totals.types.begin(), totals.types.end(),
            [](const TypeTotal& a, const TypeTotal& b) { return a.bytes > b.bytes; });
  return totals;
}

GgufArray first_elements(const GgufArray& array, std::uint64_t n) {
  GgufArray head = array;
  head.count = std::min(array.count, n);
  head.data = array.data.first(prefix_bytes(array, head.count));
  return head;
}

std::string type_label(const GgufValue& value) {
  const auto* array = std::get_if<GgufArray>(&value.value);
  return array == nullptr ? std::string(gguf_type_name(value.type))
                          : fmt::format("array of {}", gguf_type_name(array->element_type));
}

std::string brief_value(const GgufValue& value, std::size_t max_bytes) {
  return std::visit(BriefWriter{value.type, max_bytes}, value.value);
}

}  // namespace edgelm::formats
