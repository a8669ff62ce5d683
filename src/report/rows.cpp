// Records to rows: selection, labels, and everything that is derived.

#include "report/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "report/figures.h"

namespace edgelm::report {
namespace {

using measure::Record;

// Records of one cell on one device: the last one stored stands for all.
std::vector<const Record*> newest(const std::vector<Record>& records, bool every) {
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < records.size(); ++i)
    last[records[i].passport.fingerprint + '|' + cell_key(records[i].settings)] = i;
  std::vector<const Record*> chosen;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string key = records[i].passport.fingerprint + '|' + cell_key(records[i].settings);
    if (every || last[key] == i) chosen.push_back(&records[i]);
  }
  return chosen;
}

// As people look for cells, whatever the order of measuring was: devices as they first appeared,
// and on each by model, type, test and threads.
void sort_rows(std::vector<Row>& rows) {
  std::map<std::string, std::size_t> devices;
  for (const Row& row : rows) devices.try_emplace(row.record->passport.fingerprint, devices.size());
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    const measure::Settings& s = a.record->settings;
    const measure::Settings& t = b.record->settings;
    const std::size_t here = devices[a.record->passport.fingerprint];
    const std::size_t there = devices[b.record->passport.fingerprint];
    return std::tie(here, a.model, s.type, s.engine, s.isa, s.kv_type, s.power_mode,
                    s.context_tokens, s.prompt_tokens, s.decode_tokens, s.n_sequences, s.threads) <
           std::tie(there, b.model, t.type, t.engine, t.isa, t.kv_type, t.power_mode,
                    t.context_tokens, t.prompt_tokens, t.decode_tokens, t.n_sequences, t.threads);
  });
}

// The settings that tell cells apart, as words.
constexpr std::size_t kTypeWord = 1;
constexpr std::size_t kThreadsWord = 3;
using Words = std::array<std::string, 9>;

Words words_of(const Record& record, const std::set<std::string>& ambiguous) {
  const measure::Settings& s = record.settings;
  std::string device = device_name(record.passport);
  if (ambiguous.contains(device)) device += " " + record.passport.fingerprint.substr(0, 6);
  return {short_model(s.model),
          s.type,
          test_name(s),
          s.threads == 0 ? "" : fmt::format("{} thr", s.threads),
          s.kv_type == "f16" ? "" : "kv " + s.kv_type,
          s.power_mode,
          s.isa,
          s.engine,
          std::move(device)};
}

// Names that several devices of the rows have.
std::set<std::string> ambiguous_devices(const std::vector<const Row*>& rows) {
  std::map<std::string, std::set<std::string>> fingerprints;
  for (const Row* row : rows)
    fingerprints[device_name(row->record->passport)].insert(row->record->passport.fingerprint);
  std::set<std::string> ambiguous;
  for (const auto& [name, prints] : fingerprints)
    if (prints.size() > 1) ambiguous.insert(name);
  return ambiguous;
}

Known<double> per_token(const Known<double>& joules, double tokens) {
  if (!joules) return joules;
  if (!(tokens > 0)) return not_available("no tokens in the window");
  return *joules / tokens;
}

Known<double> gross_per_token(const measure::EnergyOfPhase& phase) {
  return per_token(derived(phase.gross, [](const device::Energy& e) { return e.joules; }),
                   phase.tokens);
}

// Weights are read once per step, whatever the number of sequences.
Known<double> bandwidth_share(const Record& record) {
  Known<double> speed = median_of(record.decode_tokens_per_s);
  if (!speed) return speed;
  if (!record.read_bytes_per_s) return record.read_bytes_per_s;
  if (!(record.bytes_per_token > 0)) return not_available("bytes per token are not known");
  if (!(*record.read_bytes_per_s > 0)) return not_available("the bandwidth probe read nothing");
  const double steps = *speed / std::max(1U, record.settings.n_sequences);
  return record.bytes_per_token * steps / *record.read_bytes_per_s;
}

// Scores in [0, 1] that can stand for Q, best known first.
int preference(const quality::Record& record) {
  constexpr std::array<std::string_view, 9> kOrder = {
      "gsm8k", "mmlu", "hellaswag", "arc", "winogrande", "piqa", "boolq", "openbookqa", "lambada"};
  for (std::size_t i = 0; i < kOrder.size(); ++i)
    if (record.task.starts_with(kOrder[i])) return static_cast<int>(kOrder.size() - i);
  const bool accuracy = record.metric.starts_with("acc") || record.metric.starts_with("pass@1");
  return accuracy ? 0 : -1;
}

void add_quality(Row& row, const std::vector<quality::Record>& records) {
  const measure::Settings& s = row.record->settings;
  int best = -1;
  for (const quality::Record& q : records) {
    const bool same = s.model_hash.empty() || q.model_hash.empty()
                          ? short_model(q.model) == row.model && q.type == s.type
                          : q.model_hash == s.model_hash;
    if (!same || !q.value || preference(q) < 0 || preference(q) < best) continue;
    if (*q.value < 0 || *q.value > 1) continue;
    best = preference(q);
    row.quality = *q.value;
    row.quality_task = q.task;
  }
}

void add_energy(Row& row) {
  const Record& record = *row.record;
  row.prefill_joules = gross_per_token(record.prefill);
  row.decode_joules = gross_per_token(record.decode);
  row.decode_joules_net = per_token(record.decode.net_joules, record.decode.tokens);
  if (record.sensor.scope == device::Scope::kModelled) row.energy_origin = Origin::kModelled;
}

void add_economy(Row& row, const Options& options) {
  const Record& record = *row.record;
  econ::Inputs in;
  in.prompt_tokens = record.settings.prompt_tokens;
  in.output_tokens = record.settings.decode_tokens;
  in.ttft_s = derived(median_of(record.ttft_ms), [](double ms) { return ms * 1e-3; });
  in.tokens_per_s = median_of(record.decode_tokens_per_s);
  in.decode_joules_per_token = row.decode_joules;
  in.prefill_joules_per_token = row.prefill_joules;
  in.quality = row.quality;
  in.device = device_name(record.passport);
  row.econ = econ::summarise(in, options.prices, options.limits);
}

}  // namespace

Known<bool> throttled(const Record& record) {
  const device::StateSummary& state = record.state;
  if (state.throttled) return true;
  // NVML's reasons are watched without being in the passport.
  if (record.passport.throttle || state.median_hz || state.max_celsius ||
      record.sensor.id == "nvml")
    return false;
  return not_available(fmt::format("{}, {}, {}", record.passport.throttle.error().reason,
                                   state.median_hz.error().reason,
                                   state.max_celsius.error().reason));
}

Known<double> median_of(const Known<measure::Series>& series) {
  return derived(series, [](const measure::Series& s) { return s.median; });
}

std::string short_model(const std::string& model) {
  std::string name = model.substr(model.rfind('/') + 1);
  if (name.ends_with(".gguf")) name.erase(name.size() - 5);
  return name;
}

std::vector<std::string> labels(const std::vector<const Row*>& rows, bool threads) {
  const std::set<std::string> ambiguous = ambiguous_devices(rows);
  std::vector<Words> words;
  words.reserve(rows.size());
  for (const Row* row : rows) words.push_back(words_of(*row->record, ambiguous));
  std::array<bool, std::tuple_size_v<Words>> differs{};
  for (const Words& one : words)
    for (std::size_t part = 0; part < one.size(); ++part)
      differs[part] = differs[part] || one[part] != words.front()[part];
  differs[kThreadsWord] = differs[kThreadsWord] && threads;
  std::vector<std::string> list;
  list.reserve(rows.size());
  for (const Words& one : words) {
    std::string label;
    for (std::size_t part = 0; part < one.size(); ++part) {
      // "synth:smollm2-135m:q4_0" has its type in its name.
      const bool repeated = part == kTypeWord && label.find(one[part]) != std::string::npos;
      if (!differs[part] || one[part].empty() || repeated) continue;
      label.append(label.empty() ? "" : " · ").append(one[part]);
    }
    if (label.empty()) label = one.front();
    list.push_back(std::move(label));
  }
  return list;
}

std::string test_name(const measure::Settings& s) {
  std::string name;
  if (s.prompt_tokens > 0) name = fmt::format("pp{}", s.prompt_tokens);
  if (s.decode_tokens > 0) name += fmt::format("{}tg{}", name.empty() ? "" : "+", s.decode_tokens);
  if (s.context_tokens > 0) name += fmt::format(" @d{}", s.context_tokens);
  if (s.n_sequences > 1) name += fmt::format(" x{}", s.n_sequences);
  return name;
}

std::uint64_t positions(const measure::Settings& s) {
  return (std::uint64_t{s.context_tokens} + s.prompt_tokens + s.decode_tokens) *
         std::max(1U, s.n_sequences);
}

std::string device_name(const device::Passport& passport) {
  const bool generic = passport.name.empty() || passport.name == "this device";
  if (!generic) return passport.name;
  if (!passport.board.name.empty()) return passport.board.name;
  return passport.cpu.model.empty() ? "unknown device" : passport.cpu.model;
}

std::vector<Row> rows_of(const Records& records, const Options& options) {
  std::vector<Row> rows;
  for (const Record* record : newest(records.measured, options.every_record)) {
    Row row;
    row.record = record;
    row.model = short_model(record->settings.model);
    row.measured = record->outcome == measure::Outcome::kMeasured;
    if (row.measured) {
      add_energy(row);
      row.bandwidth_share = bandwidth_share(*record);
      add_quality(row, records.quality);
      add_economy(row, options);
      row.prediction = predict_record(*record);
    }
    rows.push_back(std::move(row));
  }
  sort_rows(rows);
  std::vector<const Row*> all;
  all.reserve(rows.size());
  for (const Row& row : rows) all.push_back(&row);
  std::vector<std::string> names = labels(all);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].label = std::move(names[i]);
  return rows;
}

}  // namespace edgelm::report
