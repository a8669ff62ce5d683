#pragma once
// The parts of a report, one function and file each: rows in, tables and plots out. Called by
// build.cpp in the order of reading.

#include <string>
#include <vector>

#include "report/document.h"
#include "report/rows.h"

namespace edgelm::report {

Section speed_section(const std::vector<Row>& rows);
Section memory_section(const std::vector<Row>& rows);
Section energy_section(const std::vector<Row>& rows);
Section cost_section(const std::vector<Row>& rows, const Options& options);
Section utility_section(const std::vector<Row>& rows, const Options& options);
Section quality_section(const std::vector<Row>& rows, const std::vector<quality::Record>& records);
Section prediction_section(const std::vector<Row>& rows);
Section conditions_section(const std::vector<Row>& rows);
std::vector<DeviceSheet> device_sheets(const std::vector<Row>& rows);
std::vector<Highlight> highlights(const std::vector<Row>& rows, const Options& options);
std::vector<std::string> warnings(const std::vector<Row>& rows, const Records& records,
                                  const std::vector<Run>& runs);
std::vector<Definition> definitions(const std::vector<Row>& rows, const Options& options);
std::vector<Definition> origins();

// The columns that say which cell a row is of: model, type, test, threads, and of KV type, power
// mode, kernels, engine and device those that differ between rows.
class SettingColumns {
 public:
  explicit SettingColumns(const std::vector<Row>& rows);
  [[nodiscard]] std::vector<Column> columns() const;
  [[nodiscard]] std::vector<Cell> cells(const Row& row) const;

 private:
  bool kv_ = false, mode_ = false, isa_ = false, engine_ = false, device_ = false;
};

// "pp512 and tg128 of NAME": rows of the table's measured outcomes only.
bool any_measured(const std::vector<Row>& rows);
// The reason that most rows give, for an empty plot. `of` returns a Known of a row.
template <class F>
std::string common_reason(const std::vector<Row>& rows, F&& of) {
  std::string reason = "no measured record";
  std::size_t most = 0;
  for (const Row& row : rows) {
    if (!row.measured || of(row)) continue;
    const std::string candidate = of(row).error().reason;
    std::size_t n = 0;
    for (const Row& other : rows)
      n += other.measured && !of(other) && of(other).error().reason == candidate ? 1 : 0;
    if (n > most) {
      most = n;
      reason = candidate;
    }
  }
  return reason;
}

}  // namespace edgelm::report
