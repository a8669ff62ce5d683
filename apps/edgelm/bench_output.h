#pragma once
// How `edgelm bench` prints its records: Markdown table, CSV, JSON, JSON lines.

#include <string>
#include <vector>

#include "api/json.h"
#include "measure/bench.h"

namespace edgelm::apps {

struct BenchRecord {
  std::string model;
  std::string type;
  std::uint64_t n_params = 0;
  double load_ms = 0;
  std::string isa;
  std::uint64_t probe_buffer_bytes = 0;
  measure::BenchResult result;
};

enum class BenchFormat { kMarkdown, kCsv, kJson, kJsonl };

// jsonl and csv records are printed as they come, the others at the end.
std::string csv_header();
std::string csv_line(const BenchRecord& record);
api::Json to_json(const BenchRecord& record);
std::string markdown(const std::vector<BenchRecord>& records);

}  // namespace edgelm::apps
