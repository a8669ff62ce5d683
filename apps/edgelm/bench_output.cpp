// One record, four formats.

#include "apps/edgelm/bench_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "os/cpu.h"
#include "os/memory.h"

namespace edgelm::apps {
namespace {

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

// Quotes a CSV field when it needs it (RFC 4180).
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string parameters(std::uint64_t n) {
  const auto count = static_cast<double>(n);
  return n >= 1'000'000'000 ? fmt::format("{:.2f} B", count * 1e-9)
                            : fmt::format("{:.2f} M", count * 1e-6);
}

using Row = std::array<std::string, 12>;

Row markdown_row(const BenchRecord& record) {
  const measure::BenchResult& r = record.result;
  return {record.model.substr(record.model.rfind('/') + 1),
          record.type,
          parameters(record.n_params),
          r.test.name() + (r.test.kv_type == plan::KvType::kF16 ? "" : " kv q8_0"),
          std::to_string(r.threads),
          fmt::format("{:.1f}", r.speed.median),
          fmt::format("{:.1f} – {:.1f}", r.speed.min, r.speed.max),
          fmt::format("{:.2f}", r.bytes_per_second * 1e-9),
          fmt::format("{:.2f}", r.read_bytes_per_second * 1e-9),
          fmt::format("{:.1f}", record.load_ms),
          fmt::format("{:.1f} + {:.1f} + {:.1f}", mebibytes(r.memory.weights_bytes),
                      mebibytes(r.memory.kv_bytes), mebibytes(r.memory.compute_bytes)),
          fmt::format("{:.0f}", mebibytes(r.memory.peak_rss_bytes))};
}

// Columns on a terminal, not bytes: continuation bytes of UTF-8 take no room.
std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string csv_header() {
  return "model,type,n_params,test,threads,isa,tokens_per_second,tokens_per_second_min,"
         "tokens_per_second_max,samples,bytes_per_token,gb_per_s,bandwidth_gb_per_s,"
         "bandwidth_fraction,load_ms,memory_weights,memory_kv,memory_compute,peak_rss,kv_type";
}

std::string csv_line(const BenchRecord& record) {
  const measure::BenchResult& r = record.result;
  std::string samples;
  for (const double sample : r.tokens_per_second)
    samples += fmt::format("{}{:.3f}", samples.empty() ? "" : " ", sample);
  return fmt::format(
      "{},{},{},{},{},{},{:.3f},{:.3f},{:.3f},{},{:.0f},{:.4f},{:.4f},{:.4f},{:.3f},"
      "{},{},{},{},{}",
      csv_field(record.model), record.type, record.n_params, r.test.name(), r.threads, record.isa,
      r.speed.median, r.speed.min, r.speed.max, samples, r.weight_bytes_per_token,
      r.bytes_per_second * 1e-9, r.read_bytes_per_second * 1e-9, r.bandwidth_fraction(),
      record.load_ms, r.memory.weights_bytes, r.memory.kv_bytes, r.memory.compute_bytes,
      r.memory.peak_rss_bytes, plan::kv_type_name(r.test.kv_type));
}

api::Json to_json(const BenchRecord& record) {
  const measure::BenchResult& r = record.result;
  return {
      {"model", record.model},
      {"type", record.type},
      {"n_params", record.n_params},
      {"test", r.test.name()},
      {"threads", r.threads},
      {"kv_type", plan::kv_type_name(r.test.kv_type)},
      {"batch", r.test.prefill ? r.test.batch : r.test.n_sequences},
      {"depth", r.test.depth},
      {"sequences", r.test.n_sequences},
      {"tokens_per_second",
       {{"median", r.speed.median},
        {"min", r.speed.min},
        {"max", r.speed.max},
        {"samples", r.tokens_per_second}}},
      {"bytes_per_token", r.weight_bytes_per_token},
      {"gb_per_s", r.bytes_per_second * 1e-9},
      {"bandwidth_gb_per_s", r.read_bytes_per_second * 1e-9},
      {"bandwidth_fraction", r.bandwidth_fraction()},
      {"bandwidth_buffer_bytes", record.probe_buffer_bytes},
      {"load_ms", record.load_ms},
      {"memory",
       {{"weights", r.memory.weights_bytes},
        {"kv", r.memory.kv_bytes},
        {"compute", r.memory.compute_bytes},
        {"peak_rss", r.memory.peak_rss_bytes}}},
      {"machine",
       {{"cpu", os::cpu_name()},
        {"cores", os::usable_cores()},
        {"logical_cpus", os::usable_cpus()},
        {"last_level_cache_bytes", os::last_level_cache_bytes()},
        {"memory_bytes", os::total_memory_bytes()}}},
      {"build", {{"version", EDGELM_VERSION}, {"compiler", "" __VERSION__}, {"isa", record.isa}}}};
}

std::string markdown(const std::vector<BenchRecord>& records) {
  constexpr std::size_t kTextColumns = 4;  // left-aligned; numbers follow
  std::vector<Row> rows = {{"model", "type", "params", "test", "threads", "tokens/s", "min – max",
                            "weights GB/s", "read GB/s", "load ms", "weights + KV + compute MiB",
                            "peak MiB"}};
  for (const BenchRecord& record : records) rows.push_back(markdown_row(record));
  Row rule;
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  for (std::size_t i = 0; i < rule.size(); ++i)
    rule[i] = std::string(widths[i] - 1, '-') + (i < kTextColumns ? '-' : ':');
  rows.insert(rows.begin() + 1, rule);
  std::string table;
  for (const Row& row : rows) {
    table += '|';
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - columns(row[i]), ' ');
      table += ' ' + (i < kTextColumns ? row[i] + padding : padding + row[i]) + " |";
    }
    table += '\n';
  }
  return table;
}

}  // namespace edgelm::apps
