#pragma once
// How `edgelm bench` prints its records: Markdown table, CSV, JSON, JSON lines. A record has one
// row for its prompt ("pp128") and one for its generated tokens ("tg32"), as the field writes them.

#include <string>
#include <vector>

#include "api/json.h"
#include "measure/record.h"

namespace edgelm::apps {

struct BenchRow {
  const measure::Record* record = nullptr;  // not owned
  bool prefill = true;                      // otherwise decode
  [[nodiscard]] std::string test() const;   // "pp128", "tg32 x4 @ d512"
};

// Pointers into `records`, which must stay where they are.
std::vector<BenchRow> rows_of(const std::vector<measure::Record>& records);
std::vector<BenchRow> rows_of(const measure::Record& record);

// jsonl and csv rows are printed as they come, the others at the end.
std::string csv_header();
std::string csv_line(const BenchRow& row);
api::Json to_json(const BenchRow& row);
// The table, and below it what the records say of themselves: throttling, drift, paging.
std::string markdown(const std::vector<BenchRow>& rows);

}  // namespace edgelm::apps
