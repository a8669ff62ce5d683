// The fields of records, once, for both directions (struct_json.h).

#include "report/record_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "device/passport_json.h"
#include "report/struct_json.h"

namespace edgelm::report {

template <>
struct JsonOf<device::Passport> {
  static api::Json write(const device::Passport& passport) { return device::to_json(passport); }
  static Result<device::Passport> read(const api::Json& json, const std::string& name) {
    return device::passport_from_json(json, name);
  }
};
template <>
struct JsonOf<device::SensorInfo> {
  static api::Json write(const device::SensorInfo& sensor) { return device::to_json(sensor); }
  static Result<device::SensorInfo> read(const api::Json& json, const std::string& name) {
    return device::sensor_from_json(json, name);
  }
};

// What a measurement can leave: finite, and small enough that no sum or product of two such numbers
// overflows. In any unit that records use, 1e18 is beyond every device.
constexpr double kMost = 1e18;

// False for NaN.
inline bool within(double value, double low, double high) { return value >= low && value <= high; }
inline bool within(const Known<double>& value, double low, double high) {
  return !value || within(*value, low, high);
}

inline double known_value(double value) { return value; }
inline double known_value(const Known<double>& value) { return *value; }

// A field with bounds, which are checked when it is read.
template <class Fields, class T>
void bounded(Fields& f, std::string_view key, T& value, double low, double high) {
  f(key, value);
  if constexpr (std::is_same_v<Fields, FieldReader>)
    if (!within(value, low, high))
      f.require(false, fmt::format("{}: expected a number from {:g} to {:g}, got {:g}", key, low,
                                   high, known_value(value)));
}
// A rate, a time, an amount.
template <class Fields, class T>
void amount(Fields& f, std::string_view key, T& value) {
  bounded(f, key, value, 0, kMost);
}
template <class Fields, class T>
void share(Fields& f, std::string_view key, T& value) {
  bounded(f, key, value, 0, 1);
}

// Statistics of samples that they can be of. The interval may be rounded otherwise than the median.
inline void check(FieldReader& f, const measure::Series& s) {
  const auto amounts = [](double v) { return within(v, 0, kMost); };
  f.require(std::all_of(s.samples.begin(), s.samples.end(), amounts),
            "samples: expected numbers from 0 to 1e18");
  for (const std::uint32_t index : s.outliers)
    f.require(index < s.samples.size(), "an outlier's index is beyond the samples");
  const double slack = 1e-9 * std::fabs(s.median);
  f.require(within(s.median, s.low - slack, s.high + slack),
            "the median is not between low and high");
  if (s.samples.empty()) return;
  const auto [least, most] = std::minmax_element(s.samples.begin(), s.samples.end());
  f.require(within(s.median, *least - slack, *most + slack),
            "the median is not between the least and the largest of the samples");
}

// Time lines are most of a record's text: rows, not objects.
template <>
inline constexpr bool as_row<device::Reading> = true;
template <>
inline constexpr bool as_row<device::StateSample> = true;
template <>
inline constexpr bool as_row<measure::PhaseSpan> = true;
template <>
inline constexpr bool as_row<predict::KvOfLayer> = true;  // one per layer

}  // namespace edgelm::report

namespace edgelm::device {

template <class Fields>
void fields(Fields& f, Reading& r) {
  f("t_ns", r.t_ns);
  report::bounded(f, "watts", r.value, -report::kMost, report::kMost);
  f.added("restart", r.restart);
}

template <class Fields>
void fields(Fields& f, StateSample& s) {
  f("t_ns", s.t_ns);
  f("celsius", s.celsius);
  f("cpu_hz", s.cpu_hz);
  f("throttle_events", s.throttle_events);
  f("throttle", s.throttle);
}

template <class Fields>
void fields(Fields& f, Energy& e) {
  report::amount(f, "joules", e.joules);
  report::amount(f, "uncertainty", e.uncertainty);
  report::amount(f, "mean_watts", e.mean_watts);
  report::amount(f, "peak_watts", e.peak_watts);
  report::amount(f, "seconds", e.seconds);
  f("n_samples", e.n_samples);
  report::bounded(f, "coverage", e.coverage, -1e-9, 1 + 1e-9);  // 1 less the gaps, rounded
  f("low_confidence", e.low_confidence);
}

template <class Fields>
void fields(Fields& f, StateSummary& s) {
  report::bounded(f, "max_celsius", s.max_celsius, -273.15, 1000);
  report::amount(f, "median_hz", s.median_hz);
  report::amount(f, "min_hz", s.min_hz);
  f("throttled", s.throttled);
  f("cause", s.cause);
  f.added("possibly_throttled", s.possibly_throttled);
}

}  // namespace edgelm::device

namespace edgelm::predict {

std::span<const std::string_view> enum_words(Part /*unused*/) { return kPartWords; }

template <class Fields>
void fields(Fields& f, Weights& w) {
  f("part", w.part);
  f("type", w.type);
  f("elements", w.elements);
  f("bytes", w.bytes);
  report::share(f, "share", w.share);
}

template <class Fields>
void fields(Fields& f, KvOfLayer& layer) {
  f("elements", layer.elements);
  f("window", layer.window);
  f("macs_per_pair", layer.macs_per_pair);
}

template <class Fields>
void fields(Fields& f, Model& m) {
  f("name", m.name);
  f("architecture", m.architecture);
  f("type", m.type);
  f("origin", m.origin);
  f("layers", m.n_layers);
  f("embedding", m.n_embd);
  f("vocabulary", m.n_vocab);
  f("context", m.context_length);
  f("activation_floats", m.activation_floats);
  f("widest_input", m.widest_input);
  f("weights", m.weights);
  f("kv", m.kv);
  f("state_bytes", m.state_bytes);
  f("file_bytes", m.file_bytes);
  f("notes", m.notes);
}

}  // namespace edgelm::predict

namespace edgelm::measure {

std::span<const std::string_view> enum_words(Outcome /*unused*/) { return kOutcomeWords; }
std::span<const std::string_view> enum_words(CellPhase /*unused*/) { return kPhaseWords; }

template <class Fields>
void fields(Fields& f, PhaseSpan& s) {
  f("phase", s.phase);
  f("begin_ns", s.begin_ns);
  f("end_ns", s.end_ns);
  if constexpr (std::is_same_v<Fields, report::FieldReader>)
    f.require(s.begin_ns <= s.end_ns, "a phase ends before it begins");
}

template <class Fields>
void fields(Fields& f, Settings& s) {
  f("model", s.model);
  f("model_hash", s.model_hash);
  f("type", s.type);
  f("engine", s.engine);
  f("isa", s.isa);
  f("threads", s.threads);
  f("prompt_tokens", s.prompt_tokens);
  f("decode_tokens", s.decode_tokens);
  f("context_tokens", s.context_tokens);
  f("batch_tokens", s.batch_tokens);
  f("n_sequences", s.n_sequences);
  f("kv_type", s.kv_type);
  f("power_mode", s.power_mode);
}

template <class Fields>
void fields(Fields& f, Series& s) {
  f("samples", s.samples);
  report::amount(f, "median", s.median);
  report::amount(f, "mad", s.mad);
  report::amount(f, "low", s.low);
  report::amount(f, "high", s.high);
  f("outliers", s.outliers);
  f("drifting", s.drifting);
  report::bounded(f, "slope_per_s", s.slope_per_s, -report::kMost, report::kMost);
  if constexpr (std::is_same_v<Fields, report::FieldReader>) report::check(f, s);
}

template <class Fields>
void fields(Fields& f, MemoryParts& m) {
  f("weights", m.weights);
  f("kv", m.kv);
  f("compute", m.compute);
  f("runtime", m.runtime);
}

template <class Fields>
void fields(Fields& f, MemoryMeasured& m) {
  f("pss_file", m.pss_file);
  f("pss_anonymous", m.pss_anonymous);
  f("peak_rss", m.peak_rss);
  f("cgroup_peak", m.cgroup_peak);
  f("major_faults", m.major_faults);
  report::share(f, "weights_resident", m.weights_resident);
  f("paging", m.paging);
}

template <class Fields>
void fields(Fields& f, EnergyOfPhase& e) {
  f("gross", e.gross);
  // Less than nothing where idle power fell while the device worked.
  report::bounded(f, "net_joules", e.net_joules, -report::kMost, report::kMost);
  report::amount(f, "tokens", e.tokens);
}

template <class Fields>
void fields(Fields& f, Record& r) {
  f("id", r.id);
  f("run_id", r.run_id);
  f("time", r.time);
  f("version", r.version);
  f("settings", r.settings);
  f("outcome", r.outcome);
  f("reason", r.reason);
  f("needed_bytes", r.needed_bytes);
  f("parameters", r.parameters);
  report::amount(f, "bytes_per_token", r.bytes_per_token);
  f("file_bytes", r.file_bytes);
  f.added("shape", r.shape);
  report::amount(f, "cold_load_ms", r.cold_load_ms);
  report::amount(f, "warm_load_ms", r.warm_load_ms);
  f("prefill_tokens_per_s", r.prefill_tokens_per_s);
  f("ttft_ms", r.ttft_ms);
  report::amount(f, "ttft_tokenize_ms", r.ttft_tokenize_ms);
  report::amount(f, "ttft_prefill_ms", r.ttft_prefill_ms);
  report::amount(f, "ttft_sample_ms", r.ttft_sample_ms);
  f("decode_tokens_per_s", r.decode_tokens_per_s);
  f("tpot_ms", r.tpot_ms);
  report::amount(f, "itl_p50_ms", r.itl_p50_ms);
  report::amount(f, "itl_p90_ms", r.itl_p90_ms);
  report::amount(f, "itl_p99_ms", r.itl_p99_ms);
  report::amount(f, "read_bytes_per_s", r.read_bytes_per_s);
  f("planned", r.planned);
  f("memory", r.memory);
  f("sensor", r.sensor);
  f("load", r.load);
  f("prefill", r.prefill);
  f("decode", r.decode);
  report::amount(f, "idle_watts_before", r.idle_watts_before);
  report::amount(f, "idle_watts_after", r.idle_watts_after);
  f("state", r.state);
  f("watts", r.watts);
  f("states", r.states);
  f.added("phases", r.phases);
  f("warmup_runs", r.warmup_runs);
  f("settled", r.settled);
  report::amount(f, "other_load", r.other_load);
  f("notes", r.notes);
  f("passport", r.passport);
}

}  // namespace edgelm::measure

namespace edgelm::quality {

template <class Fields>
void fields(Fields& f, Item& i) {
  f("id", i.id);
  report::bounded(f, "value", i.value, -report::kMost, report::kMost);
  f("question", i.question);
  f("answer", i.answer);
  f("expected", i.expected);
}

template <class Fields>
void fields(Fields& f, Record& r) {
  f("id", r.id);
  f("run_id", r.run_id);
  f("time", r.time);
  f("version", r.version);
  f("model", r.model);
  f("model_hash", r.model_hash);
  f("type", r.type);
  f("engine", r.engine);
  f("file_bytes", r.file_bytes);
  f("device_fingerprint", r.device_fingerprint);
  f("task", r.task);
  f("data", r.data);
  f("metric", r.metric);
  f("protocol", r.protocol);
  report::bounded(f, "value", r.value, -std::numeric_limits<double>::max(),
                  std::numeric_limits<double>::max());
  f("standard_error", r.standard_error);
  f("low", r.low);
  f("high", r.high);
  report::share(f, "random_level", r.random_level);
  f("n", r.n);
  f("items", r.items);
  if constexpr (std::is_same_v<Fields, report::FieldReader>) {
    // NaN where a single item tells no interval; infinite where its end leaves the numbers.
    f.require(!(r.standard_error < 0), "a standard error below 0");
    f.require(!(r.low > r.high), "low is above high");
  }
}

}  // namespace edgelm::quality

namespace edgelm::report {
namespace {

// The format goes in front of the fields and is not one of them.
template <class Record>
struct Envelope {
  std::string format;
  Record record;
};

template <class Fields, class Record>
void fields(Fields& f, Envelope<Record>& e) {
  f("format", e.format);
  fields(f, e.record);
}

template <class Record>
api::Json write(std::string_view format, const Record& record) {
  return report::FieldWriter::write(Envelope<Record>{std::string(format), record});
}

template <class Record>
Result<AnyRecord> read(const api::Json& json, const std::string& name) {
  EDGELM_TRY_ASSIGN(Envelope<Record> envelope,
                    report::FieldReader::read<Envelope<Record>>(json, name));
  return AnyRecord(std::move(envelope.record));
}

}  // namespace

api::Json to_json(const measure::Record& record) { return write(kMeasureFormat, record); }
api::Json to_json(const quality::Record& record) { return write(kQualityFormat, record); }

Result<AnyRecord> record_from_json(const api::Json& json, const std::string& name) {
  EDGELM_TRY_ASSIGN(const std::string format, api::string_at(json, "format", name));
  if (format == kMeasureFormat) return read<measure::Record>(json, name);
  if (format == kQualityFormat) return read<quality::Record>(json, name);
  if (format.starts_with("edgelm."))
    return fail(ErrorCode::kUnsupported,
                "{}: format '{}' is not one this version knows ({}, {}); a newer edgelm reads it",
                name, format, kMeasureFormat, kQualityFormat);
  return fail(ErrorCode::kFormat, "{}: format '{}' is not of a record ({}, {})", name, format,
              kMeasureFormat, kQualityFormat);
}

Result<AnyRecord> record_from_text(std::string_view text, const std::string& name) {
  EDGELM_TRY_ASSIGN(const api::Json json, api::parse(text, name));
  return record_from_json(json, name);
}

}  // namespace edgelm::report
