// One list of columns, filled by what a line has.

#include "report/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/printable.h"
#include "report/figures.h"

namespace edgelm::report {
namespace {

// Lines whose columns are found by name, in the order in which names first appeared.
class Sheet {
 public:
  void begin() { lines_.emplace_back(); }
  void text(const std::string& column, const std::string& value) { put(column, csv_field(value)); }
  void known_text(const std::string& column, const Known<std::string>& known) {
    if (known) {
      text(column, *known);
    } else {
      absent(column, known.error().reason);
    }
  }
  void value(const std::string& column, double value) {
    put(column, std::isfinite(value) ? fmt::format("{}", value) : "");
  }
  template <class T>
  void value(const std::string& column, const Known<T>& known) {
    if (known) {
      value(column, static_cast<double>(*known));
    } else {
      absent(column, known.error().reason);
    }
  }
  void series(const std::string& column, const Known<measure::Series>& s) {
    value(column, derived(s, [](const measure::Series& one) { return one.median; }));
    if (!s) return;
    value(column + ".low", s->low);
    value(column + ".high", s->high);
    value(column + ".mad", s->mad);
    std::string samples;
    for (const double sample : s->samples)
      samples += fmt::format("{}{}", samples.empty() ? "" : " ", sample);
    put(column + ".samples", samples);
  }
  [[nodiscard]] std::string write() const {
    std::string out;
    for (const std::string& column : order_) out += csv_field(column) + ",";
    out += std::string(kAbsent) + "\r\n";
    for (const auto& line : lines_) {
      for (const std::string& column : order_) {
        const auto at = line.find(column);
        out += (at == line.end() ? "" : at->second) + ",";
      }
      const auto why = line.find(kAbsent);
      out += (why == line.end() ? "" : csv_field(why->second)) + "\r\n";
    }
    return out;
  }

 private:
  static constexpr const char* kAbsent = "absent";
  void absent(const std::string& column, const std::string& reason) {
    put(column, "");
    std::string& why = lines_.back()[kAbsent];
    why += (why.empty() ? "" : "; ") + column + ": " + reason;
  }
  void put(const std::string& column, std::string text) {
    if (std::find(order_.begin(), order_.end(), column) == order_.end()) order_.push_back(column);
    lines_.back()[column] = std::move(text);
  }
  std::vector<std::string> order_;
  std::vector<std::map<std::string, std::string>> lines_;
};

void add_settings(Sheet& sheet, const Row& row) {
  const measure::Record& r = *row.record;
  const measure::Settings& s = r.settings;
  sheet.text("kind", "measure");
  sheet.text("id", r.id);
  sheet.text("run", r.run_id);
  sheet.text("time", r.time);
  sheet.text("version", r.version);
  sheet.text("device", device_name(r.passport));
  sheet.text("fingerprint", r.passport.fingerprint);
  sheet.text("model", s.model);
  sheet.text("model_hash", s.model_hash);
  sheet.text("type", s.type);
  sheet.text("engine", s.engine);
  sheet.text("isa", s.isa);
  const bool server = s.model_hash.empty();
  const auto unless_zero = [](double value, const char* reason) {
    return value > 0 ? Known<double>(value) : Known<double>(not_available(reason));
  };
  sheet.value("threads", unless_zero(s.threads, server ? "the server's own choice" : "not known"));
  sheet.value("prompt_tokens", s.prompt_tokens);
  sheet.value("decode_tokens", s.decode_tokens);
  sheet.value("depth_tokens", s.context_tokens);
  sheet.value("batch_tokens", s.batch_tokens);
  sheet.value("sequences", s.n_sequences);
  sheet.text("kv_type", s.kv_type);
  sheet.text("power_mode", s.power_mode);
  sheet.text("outcome", std::string(outcome_word(r.outcome)));
  sheet.text("reason", r.reason);
  const char* why = server ? "the server does not tell" : "not read from the model";
  sheet.value("stated.parameters", unless_zero(static_cast<double>(r.parameters), why));
  sheet.value("stated.file_bytes", unless_zero(static_cast<double>(r.file_bytes), why));
  sheet.value("stated.bytes_per_token", unless_zero(r.bytes_per_token, why));
}

void add_speed(Sheet& sheet, const Row& row) {
  const measure::Record& r = *row.record;
  sheet.series("measured.prefill_tokens_per_s", r.prefill_tokens_per_s);
  sheet.series("measured.ttft_ms", r.ttft_ms);
  sheet.series("measured.decode_tokens_per_s", r.decode_tokens_per_s);
  sheet.series("measured.tpot_ms", r.tpot_ms);
  sheet.value("measured.itl_p50_ms", r.itl_p50_ms);
  sheet.value("measured.itl_p90_ms", r.itl_p90_ms);
  sheet.value("measured.itl_p99_ms", r.itl_p99_ms);
  sheet.value("measured.cold_load_ms", r.cold_load_ms);
  sheet.value("measured.warm_load_ms", r.warm_load_ms);
  sheet.value("measured.read_bytes_per_s", r.read_bytes_per_s);
  sheet.value("measured.bandwidth_share", row.bandwidth_share);
}

void add_memory(Sheet& sheet, const measure::Record& r) {
  sheet.value("predicted.weights_bytes", r.planned.weights);
  sheet.value("predicted.kv_bytes", r.planned.kv);
  sheet.value("predicted.compute_bytes", r.planned.compute);
  sheet.value("predicted.runtime_bytes", r.planned.runtime);
  sheet.value("measured.pss_file_bytes", r.memory.pss_file);
  sheet.value("measured.pss_anonymous_bytes", r.memory.pss_anonymous);
  sheet.value("measured.peak_rss_bytes", r.memory.peak_rss);
  sheet.value("measured.cgroup_peak_bytes", r.memory.cgroup_peak);
  sheet.value("measured.major_faults", r.memory.major_faults);
}

void add_energy(Sheet& sheet, const Row& row) {
  const measure::Record& r = *row.record;
  // The origin of joules is the sensor's: measured, or modelled by somebody's fit.
  sheet.text("energy.origin",
             r.sensor.id.empty() ? "" : std::string(origin_name(row.energy_origin)));
  sheet.text("energy.scope",
             r.sensor.id.empty() ? "" : std::string(device::scope_name(r.sensor.scope)));
  sheet.text("energy.sensor", r.sensor.id);
  sheet.value("energy.prefill_joules_per_token", row.prefill_joules);
  sheet.value("energy.decode_joules_per_token", row.decode_joules);
  sheet.value("energy.decode_joules_per_token_net", row.decode_joules_net);
  sheet.value("energy.idle_watts_before", r.idle_watts_before);
  sheet.value("energy.idle_watts_after", r.idle_watts_after);
  sheet.value("energy.s_t",
              derived(row.econ.trade_off, [](const econ::TradeOff& t) { return t.s_t; }));
  sheet.value("measured.max_celsius", r.state.max_celsius);
  sheet.value("measured.median_hz", r.state.median_hz);
  sheet.known_text("throttled",
                   derived(throttled(r), [](bool yes) { return std::string(yes ? "yes" : "no"); }));
}

void add_economy(Sheet& sheet, const Row& row, const Options& options) {
  const econ::Summary& e = row.econ;
  sheet.text("currency", options.prices.currency);
  sheet.text("use", e.usability ? std::string(econ::usability_name(*e.usability)) : "");
  sheet.value("modelled.joules_per_response", e.joules_per_response);
  sheet.value("modelled.cost_per_response", e.cost_per_response);
  sheet.value("modelled.energy_cost_per_million", e.energy_per_million);
  sheet.value("modelled.hardware_cost_per_million", e.hardware_per_million);
  sheet.value("modelled.total_cost_per_million", e.total_per_million);
  sheet.value("modelled.operational_grams", e.operational_grams);
  sheet.value("modelled.embodied_grams", e.embodied_grams);
  sheet.value("measured.quality", row.quality);
  sheet.value("modelled.responsiveness", e.responsiveness);
  const auto speed = [&](const std::vector<predict::Speed> predict::Prediction::*field) {
    return row.prediction && !((*row.prediction).*field).empty()
               ? Known<double>(((*row.prediction).*field).front().tokens_per_s.value)
               : Known<double>(not_available(row.prediction ? "not predicted"
                                                            : row.prediction.error().reason));
  };
  sheet.value("predicted.prefill_tokens_per_s", speed(&predict::Prediction::prefill));
  sheet.value("predicted.decode_tokens_per_s", speed(&predict::Prediction::decode));
}

void add_evaluation(Sheet& sheet, const quality::Record& q) {
  sheet.text("kind", "quality");
  sheet.text("id", q.id);
  sheet.text("run", q.run_id);
  sheet.text("time", q.time);
  sheet.text("version", q.version);
  sheet.text("fingerprint", q.device_fingerprint);
  sheet.text("model", q.model);
  sheet.text("model_hash", q.model_hash);
  sheet.text("type", q.type);
  sheet.text("engine", q.engine);
  sheet.value("stated.file_bytes", q.file_bytes > 0
                                       ? Known<double>(static_cast<double>(q.file_bytes))
                                       : Known<double>(not_available("the server does not tell")));
  sheet.text("task", q.task);
  sheet.text("metric", q.metric);
  sheet.text("protocol", q.protocol);
  sheet.text("data", q.data);
  sheet.value("measured.score", q.value);
  sheet.value("measured.score.standard_error", q.standard_error);
  sheet.value("measured.score.low", q.low);
  sheet.value("measured.score.high", q.high);
  sheet.value("modelled.random_level", q.random_level);
  sheet.value("items", static_cast<double>(q.n));
}

}  // namespace

std::string csv_field(std::string_view text) {
  // Control codes would reach a terminal that shows the file.
  std::string safe = printable(text, std::string::npos);
  // A cell that begins so would be run as a formula by spreadsheets.
  if (!safe.empty() && std::string_view("=+-@").find(safe[0]) != std::string_view::npos)
    safe.insert(0, 1, '\'');
  if (safe.find_first_of(",\"\r\n'") == std::string::npos) return safe;
  std::string out = "\"";
  for (const char c : safe) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string csv(const std::vector<Row>& rows, const std::vector<quality::Record>& evaluations,
                const Options& options) {
  Sheet sheet;
  for (const Row& row : rows) {
    sheet.begin();
    add_settings(sheet, row);
    if (!row.measured) continue;
    add_speed(sheet, row);
    add_memory(sheet, *row.record);
    add_energy(sheet, row);
    add_economy(sheet, row, options);
  }
  for (const quality::Record& one : evaluations) {
    sheet.begin();
    add_evaluation(sheet, one);
  }
  return sheet.write();
}

}  // namespace edgelm::report
