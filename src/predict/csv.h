#pragma once
// Comma-separated tables with a header line: the form of the reference data and the fitted
// constants. Fields may be quoted; errors give file and line.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace edgelm::predict {

class CsvTable {
 public:
  // kFormat: a row of another width than the header, an open quote, no header, a name twice.
  static Result<CsvTable> parse(std::string_view text, std::string name);

  [[nodiscard]] std::size_t rows() const { return rows_.size(); }
  [[nodiscard]] bool has(std::string_view column) const;

  // The field, "" for an empty one; kFormat when there is no such column.
  [[nodiscard]] Result<std::string> text(std::size_t row, std::string_view column) const;
  // nullopt for an empty field; kFormat when it is not a finite number that is at least 0.
  [[nodiscard]] Result<std::optional<double>> number(std::size_t row,
                                                     std::string_view column) const;
  // 0 for an empty field; kFormat when it is not a whole number of 32 bits.
  [[nodiscard]] Result<std::uint32_t> count(std::size_t row, std::string_view column) const;

 private:
  [[nodiscard]] std::optional<std::size_t> column_index(std::string_view column) const;

  std::string name_;
  std::vector<std::string> columns_;
  struct Row {
    std::uint32_t line = 0;
    std::vector<std::string> fields;
  };
  std::vector<Row> rows_;
};

}  // namespace edgelm::predict
