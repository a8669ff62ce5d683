// inspect for people: facts, metadata, tensors, totals by type.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "apps/edgelm/inspect.h"
#include "base/counted.h"
#include "base/printable.h"
#include "formats/gguf_types.h"

namespace edgelm::apps {
namespace {

constexpr std::size_t kBriefBytes = 60;  // of a value, unless all is asked for
constexpr std::size_t kMaxColumn = 48;   // a longer cell pushes its row, not the table
constexpr std::size_t kFullBytes = SIZE_MAX;

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.2f} {}", value, kUnits[unit]);
}

std::string human_count(std::uint64_t count) {
  constexpr std::array kUnits = {"K", "M", "B"};
  if (count < 1000) return fmt::format("{}", count);
  double value = static_cast<double>(count) / 1000;
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
  return fmt::format("{:.2f} {}", value, kUnits[unit]);
}

// Left-aligned cells, but right-aligned from column `first_number` on.
class Table {
 public:
  explicit Table(std::size_t first_number) : first_number_(first_number) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  void print(std::string& out) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i)
        widths[i] = std::max(widths[i], std::min(row[i].size(), kMaxColumn));
    }
    for (const auto& row : rows_) {
      std::string line = " ";
      for (std::size_t i = 0; i < row.size(); ++i)
        line += i < first_number_ ? fmt::format(" {:<{}} ", row[i], widths[i])
                                  : fmt::format(" {:>{}} ", row[i], widths[i]);
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
  }

 private:
  std::size_t first_number_;
  std::vector<std::vector<std::string>> rows_;
};

std::string text_of(const formats::GgufFile& file, std::string_view key) {
  const formats::GgufValue* value = file.find(key);
  return value == nullptr ? "" : formats::brief_value(*value, kBriefBytes);
}

std::string memory_line(const Inspection& inspection) {
  if (!inspection.memory)
    return fmt::format("n/a: {}", printable(inspection.memory_unavailable, kFullBytes));
  const plan::Memory& memory = *inspection.memory;
  return fmt::format("{} with -c {}: weights {}, KV cache ({}) {}, compute {}",
                     human_bytes(memory.total_bytes()), inspection.context_tokens,
                     human_bytes(memory.weights_bytes), plan::kv_type_name(inspection.kv_type),
                     human_bytes(memory.kv_bytes), human_bytes(memory.compute_bytes));
}

std::string weights_line(const formats::TypeTotal& all) {
  if (all.n_tensors == 0) return "none";
  return fmt::format("{} parameters, {}, {}, {:.2f} bits per weight", human_count(all.elements),
                     counted(all.n_tensors, "tensor"), human_bytes(all.bytes),
                     all.bits_per_weight());
}

std::string vocabulary_line(const formats::GgufFile& file) {
  const formats::GgufValue* tokens = file.find("tokenizer.ggml.tokens");
  const auto* array = tokens ? std::get_if<formats::GgufArray>(&tokens->value) : nullptr;
  if (array == nullptr) return {};
  const bool has_template = file.find("tokenizer.chat_template") != nullptr;
  return fmt::format("{}, {}, {} chat template", counted(array->count, "token"),
                     text_of(file, "tokenizer.ggml.model"), has_template ? "with a" : "no");
}

void print_facts(const Inspection& inspection, std::string& out) {
  const formats::GgufFile& file = inspection.file;
  const std::string architecture = text_of(file, "general.architecture");
  const std::string parts = file.n_parts() == 1 ? "" : fmt::format(", {} parts", file.n_parts());
  Table facts(SIZE_MAX);
  const auto fact = [&facts](std::string_view name, const std::string& value) {
    if (!value.empty()) facts.add({std::string(name), value});
  };
  fact("name", text_of(file, "general.name"));
  fact("architecture", architecture);
  fact("file", fmt::format("GGUF v{}, {} ({} bytes){}", file.version(),
                           human_bytes(file.file_bytes()), file.file_bytes(), parts));
  fact("weights", weights_line(inspection.totals.all));
  fact("context", text_of(file, architecture + ".context_length"));
  fact("vocabulary", vocabulary_line(file));
  fact("memory", memory_line(inspection));
  out += printable(file.path(), kFullBytes) + "\n";
  facts.print(out);
}

void print_metadata(const formats::GgufFile& file, bool full, std::string& out) {
  out += fmt::format("\nmetadata ({})\n", file.metadata().size());
  Table table(SIZE_MAX);
  for (const formats::GgufValue& value : file.metadata())
    table.add({printable(value.key), formats::type_label(value),
               formats::brief_value(value, full ? kFullBytes : kBriefBytes)});
  table.print(out);
}

void print_tensors(const formats::GgufFile& file, std::string& out) {
  if (file.tensor_infos().empty()) return;
  out += fmt::format("\ntensors ({})\n", file.tensor_infos().size());
  Table table(2);
  table.add({"name", "type", "shape", "bytes"});
  for (const formats::GgufTensorInfo& tensor : file.tensor_infos())
    table.add({printable(tensor.name), formats::tensor_type_label(tensor.type_id),
               to_string(tensor.shape), fmt::format("{}", tensor.data.size())});
  table.print(out);
}

void print_totals(const formats::TensorTotals& totals, std::string& out) {
  if (totals.types.empty()) return;
  out += "\ntotals by type\n";
  Table table(1);
  table.add({"type", "tensors", "parameters", "bytes", "share", "bits/weight"});
  for (const formats::TypeTotal& total : totals.types)
    table.add({formats::tensor_type_label(total.type_id), fmt::format("{}", total.n_tensors),
               human_count(total.elements), human_bytes(total.bytes),
               fmt::format("{:.1f} %", 100.0 * static_cast<double>(total.bytes) /
                                           static_cast<double>(totals.all.bytes)),
               fmt::format("{:.2f}", total.bits_per_weight())});
  table.print(out);
}

}  // namespace

std::string inspection_text(const Inspection& inspection, const InspectView& view) {
  std::string out;
  print_facts(inspection, out);
  print_metadata(inspection.file, view.full, out);
  if (view.tensors) print_tensors(inspection.file, out);
  print_totals(inspection.totals, out);
  return out;
}

}  // namespace edgelm::apps
