// CSV and JSON rows.

#include "apps/edgelm/bench_output.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/fields.h"
#include "apps/edgelm/bench_row.h"
#include "os/cpu.h"
#include "os/memory.h"
#include "report/csv.h"

namespace edgelm::apps {
namespace {

// An absent figure is an empty field.
std::string csv_number(const Known<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : std::string();
}
// Of a server little is known, and nothing of it is 0.
std::string csv_count(std::uint64_t value) {
  return value > 0 ? std::to_string(value) : std::string();
}
std::string csv_bytes(const Known<std::uint64_t>& value) {
  return value ? std::to_string(*value) : std::string();
}

Known<double> median_of(const Known<measure::Series>& series) {
  return series.map([](const measure::Series& s) { return s.median; });
}

double smallest(const measure::Series& series) {
  return *std::min_element(series.samples.begin(), series.samples.end());
}
double largest(const measure::Series& series) {
  return *std::max_element(series.samples.begin(), series.samples.end());
}

api::Json series_json(const measure::Series& series) {
  return {{"median", series.median},
          {"min", smallest(series)},
          {"max", largest(series)},
          {"mad", series.mad},
          {"interval", {series.low, series.high}},
          {"samples", series.samples},
          {"outliers", series.outliers},
          {"drifting", series.drifting}};
}
api::Json series_json(const Known<measure::Series>& series) {
  if (!series) return {{"absent", series.error().reason}};
  return series_json(*series);
}

// A whole number of bytes, or null: consumers divide by it.
api::Json bytes_json(const Known<std::uint64_t>& value) {
  return value ? api::Json(*value) : api::Json(nullptr);
}
api::Json count_json(std::uint64_t value) {
  return value > 0 ? api::Json(value) : api::Json(nullptr);
}
api::Json scaled(const Known<double>& value, double factor) {
  return value ? api::Json(*value * factor) : api::Json(nullptr);
}

api::Json latency_json(const BenchRow& row) {
  const measure::Record& r = *row.record;
  if (row.prefill)
    return {{"ttft_ms", series_json(r.ttft_ms)},
            {"ttft_tokenize_ms", api::known(r.ttft_tokenize_ms)},
            {"ttft_prefill_ms", api::known(r.ttft_prefill_ms)},
            {"ttft_sample_ms", api::known(r.ttft_sample_ms)}};
  return {{"tpot_ms", series_json(r.tpot_ms)},
          {"itl_p50_ms", api::known(r.itl_p50_ms)},
          {"itl_p90_ms", api::known(r.itl_p90_ms)},
          {"itl_p99_ms", api::known(r.itl_p99_ms)}};
}

}  // namespace

std::string csv_header() {
  return "model,type,n_params,test,threads,isa,tokens_per_second,tokens_per_second_min,"
         "tokens_per_second_max,samples,bytes_per_token,gb_per_s,bandwidth_gb_per_s,"
         "bandwidth_fraction,load_ms,memory_weights,memory_kv,memory_compute,peak_rss,kv_type,"
         "interval_low,interval_high,cold_load_ms,ttft_ms,tpot_ms,itl_p50_ms,itl_p90_ms,itl_p99_ms,"
         "joules_per_token,net_joules_per_token,energy_scope,power_mode,outcome,reason";
}

std::string csv_line(const BenchRow& row) {
  const measure::Record& r = *row.record;
  const RowFigures f = figures_of(row);
  std::string samples;
  std::string rates = ",,";
  std::string interval = ",";
  if (f.rate != nullptr) {
    for (const double sample : f.rate->samples)
      samples += fmt::format("{}{:.3f}", samples.empty() ? "" : " ", sample);
    rates =
        fmt::format("{:.3f},{:.3f},{:.3f}", f.rate->median, smallest(*f.rate), largest(*f.rate));
    interval = fmt::format("{:.3f},{:.3f}", f.rate->low, f.rate->high);
  }
  const auto giga = [](const Known<double>& value) {
    return csv_number(value.map([](double bytes) { return bytes * 1e-9; }), 4);
  };
  const Known<double> none = not_available("");
  const Known<double> ttft = row.prefill ? median_of(r.ttft_ms) : none;
  const auto decode = [&](const Known<double>& value) {
    return csv_number(row.prefill ? none : value, 4);
  };
  return fmt::format(
      "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},"
      "{},{}",
      report::csv_field(r.settings.model), report::csv_field(r.settings.type),
      csv_count(r.parameters), row.test(), csv_count(r.settings.threads),
      report::csv_field(r.settings.isa), rates, samples,
      f.bytes_per_token > 0 ? fmt::format("{:.0f}", f.bytes_per_token) : std::string(),
      giga(f.bytes_per_s), giga(r.read_bytes_per_s), csv_number(f.fraction, 4),
      csv_number(r.warm_load_ms, 3), csv_bytes(r.planned.weights), csv_bytes(r.planned.kv),
      csv_bytes(r.planned.compute), csv_bytes(r.memory.peak_rss),
      report::csv_field(r.settings.kv_type), interval, csv_number(r.cold_load_ms, 3),
      csv_number(ttft, 3), decode(median_of(r.tpot_ms)), decode(r.itl_p50_ms), decode(r.itl_p90_ms),
      decode(r.itl_p99_ms), csv_number(f.joules_per_token, 6),
      csv_number(f.net_joules_per_token, 6),
      r.sensor.id.empty() ? std::string_view() : device::scope_name(r.sensor.scope),
      report::csv_field(r.settings.power_mode), outcome_word(r.outcome),
      report::csv_field(r.reason));
}

api::Json to_json(const BenchRow& row) {
  const measure::Record& r = *row.record;
  const RowFigures f = figures_of(row);
  api::Json json = {{"model", r.settings.model},
                    {"type", r.settings.type},
                    {"n_params", count_json(r.parameters)},
                    {"test", row.test()},
                    {"threads", count_json(r.settings.threads)},
                    {"kv_type", r.settings.kv_type},
                    {"batch", row.prefill ? r.settings.batch_tokens : r.settings.n_sequences},
                    {"depth", r.settings.context_tokens},
                    {"sequences", row.prefill ? 1U : r.settings.n_sequences},
                    {"power_mode", r.settings.power_mode},
                    {"outcome", outcome_word(r.outcome)},
                    {"reason", r.reason}};
  json["tokens_per_second"] =
      f.rate != nullptr ? series_json(*f.rate) : api::Json{{"absent", f.why_no_rate}};
  json["bytes_per_token"] =
      f.bytes_per_token > 0 ? api::Json(f.bytes_per_token) : api::Json(nullptr);
  json["gb_per_s"] = scaled(f.bytes_per_s, 1e-9);
  json["bandwidth_gb_per_s"] = scaled(r.read_bytes_per_s, 1e-9);
  json["bandwidth_fraction"] = scaled(f.fraction, 1);
  json["load_ms"] = api::known(r.warm_load_ms);
  json["cold_load_ms"] = api::known(r.cold_load_ms);
  json["latency"] = latency_json(row);
  json["energy"] = {
      {"sensor", r.sensor.id},
      {"scope", r.sensor.id.empty() ? std::string_view() : device::scope_name(r.sensor.scope)},
      {"joules_per_token", api::known(f.joules_per_token)},
      {"net_joules_per_token", api::known(f.net_joules_per_token)}};
  json["memory"] = {{"weights", bytes_json(r.planned.weights)},
                    {"kv", bytes_json(r.planned.kv)},
                    {"compute", bytes_json(r.planned.compute)},
                    {"runtime", bytes_json(r.planned.runtime)},
                    {"peak_rss", bytes_json(r.memory.peak_rss)},
                    {"pss_file", bytes_json(r.memory.pss_file)},
                    {"pss_anonymous", bytes_json(r.memory.pss_anonymous)},
                    {"needed", bytes_json(r.needed_bytes)},
                    {"paging", r.memory.paging}};
  json["notes"] = r.notes;
  json["record"] = r.id;
  json["machine"] = {{"cpu", os::cpu_name()},
                     {"cores", os::usable_cores()},
                     {"logical_cpus", os::usable_cpus()},
                     {"last_level_cache_bytes", os::last_level_cache_bytes()},
                     {"memory_bytes", os::total_memory_bytes()}};
  json["build"] = {
      {"version", EDGELM_VERSION}, {"compiler", "" __VERSION__}, {"isa", r.settings.isa}};
  return json;
}

}  // namespace edgelm::apps
