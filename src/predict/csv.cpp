// One pass over the text, then typed access.

#include "predict/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace edgelm::predict {
namespace {

// Splits off one line's fields; quotes may hold commas and doubled quotes, not line ends.
Result<std::vector<std::string>> split(std::string_view line, const std::string& name,
                                       std::uint32_t number) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += '"';
        ++i;
      } else {
        quoted = !quoted;
      }
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (quoted) return fail(ErrorCode::kFormat, "{}:{}: a quote is not closed", name, number);
  return fields;
}

}  // namespace

Result<CsvTable> CsvTable::parse(std::string_view text, std::string name) {
  CsvTable table;
  table.name_ = std::move(name);
  std::uint32_t line = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (!one.empty() && one.back() == '\r') one.remove_suffix(1);
    if (one.empty() || one.front() == '#') continue;
    EDGELM_TRY_ASSIGN(std::vector<std::string> fields, split(one, table.name_, line));
    if (table.columns_.empty()) {
      for (std::size_t i = 0; i < fields.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
          if (fields[i] == fields[j])
            return fail(ErrorCode::kFormat, "{}:{}: the column '{}' stands there twice",
                        table.name_, line, fields[i]);
      table.columns_ = std::move(fields);
      continue;
    }
    if (fields.size() != table.columns_.size())
      return fail(ErrorCode::kFormat, "{}:{}: {} fields, expected {}", table.name_, line,
                  fields.size(), table.columns_.size());
    table.rows_.push_back({line, std::move(fields)});
  }
  if (table.columns_.empty()) return fail(ErrorCode::kFormat, "{}: no header line", table.name_);
  return table;
}

std::optional<std::size_t> CsvTable::column_index(std::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  if (found == columns_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns_.begin());
}

bool CsvTable::has(std::string_view column) const { return column_index(column).has_value(); }

Result<std::string> CsvTable::text(std::size_t row, std::string_view column) const {
  const auto index = column_index(column);
  if (!index) return fail(ErrorCode::kFormat, "{}: no column '{}'", name_, column);
  return rows_[row].fields[*index];
}

Result<std::optional<double>> CsvTable::number(std::size_t row, std::string_view column) const {
  EDGELM_TRY_ASSIGN(const std::string field, text(row, column));
  if (field.empty()) return std::optional<double>();
  double value = 0;
  const char* const end = field.data() + field.size();
  const auto [stopped, error] = std::from_chars(field.data(), end, value);
  if (error != std::errc() || stopped != end || !std::isfinite(value) || value < 0)
    return fail(ErrorCode::kFormat, "{}:{}: {} '{}', expected a number of at least 0", name_,
                rows_[row].line, column, field);
  return std::optional<double>(value);
}

Result<std::uint32_t> CsvTable::count(std::size_t row, std::string_view column) const {
  EDGELM_TRY_ASSIGN(const std::optional<double> value, number(row, column));
  if (!value) return 0U;
  if (*value != std::floor(*value) || *value > 4e9)
    return fail(ErrorCode::kFormat, "{}:{}: {} {}, expected a whole number", name_, rows_[row].line,
                column, *value);
  return static_cast<std::uint32_t>(*value);
}

}  // namespace edgelm::predict
