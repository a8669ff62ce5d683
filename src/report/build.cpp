// The order of a report, what a reader should be warned of, and which columns tell rows apart.

#include "report/build.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/counted.h"
#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

// The origin of a column's figures, when they have one in common.
void settle_origins(Table& table) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    std::optional<Origin> common;
    bool mixed = false;
    for (const std::vector<Cell>& row : table.rows) {
      if (!row[i].origin) continue;
      mixed = mixed || (common && *common != *row[i].origin);
      common = row[i].origin;
    }
    if (!mixed) table.columns[i].origin = common;
  }
}

std::set<std::string> scopes_of(const std::vector<Row>& rows) {
  std::set<std::string> scopes;
  for (const Row& row : rows)
    if (row.measured && row.decode_joules)
      scopes.emplace(device::scope_name(row.record->sensor.scope));
  return scopes;
}

template <class F>
std::size_t count_if(const std::vector<Row>& rows, F&& condition) {
  return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [&](const Row& row) {
    return row.measured && condition(*row.record);
  }));
}

}  // namespace

SettingColumns::SettingColumns(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const measure::Settings& s = row.record->settings;
    const measure::Settings& first = rows.front().record->settings;
    kv_ = kv_ || s.kv_type != "f16";
    mode_ = mode_ || s.power_mode != first.power_mode;
    isa_ = isa_ || s.isa != first.isa;
    engine_ = engine_ || s.engine != first.engine;
    device_ =
        device_ || row.record->passport.fingerprint != rows.front().record->passport.fingerprint;
  }
}

std::vector<Column> SettingColumns::columns() const {
  std::vector<Column> columns = {
      {.title = "model", .numeric = false},
      {.title = "type", .numeric = false},
      {.title = "test", .hint = "prompt and generated tokens, and depth", .numeric = false},
      {.title = "threads"}};
  const auto add = [&](bool wanted, const char* title) {
    if (wanted) columns.push_back({.title = title, .numeric = false});
  };
  add(kv_, "KV");
  add(mode_, "power mode");
  add(isa_, "kernels");
  add(engine_, "engine");
  add(device_, "device");
  return columns;
}

std::vector<Cell> SettingColumns::cells(const Row& row) const {
  const measure::Settings& s = row.record->settings;
  std::vector<Cell> cells = {name(row.model), name(s.type), name(test_name(s)),
                             s.threads > 0 ? whole(s.threads) : absent("the endpoint chooses")};
  const auto add = [&](bool wanted, const std::string& text) {
    if (wanted) cells.push_back(name(text));
  };
  add(kv_, s.kv_type);
  add(mode_, s.power_mode);
  add(isa_, s.isa);
  add(engine_, s.engine);
  add(device_, device_name(row.record->passport));
  return cells;
}

std::vector<Definition> origins() {
  return {{"measured", "on the device, in the run"},
          {"predicted", "from the model's header and the device's passport"},
          {"modelled", "from measured figures by a formula, a fit or stated prices"},
          {"stated", "by the source that is named"},
          {"n/a", "not available, with the reason"}};
}

std::vector<std::string> warnings(const std::vector<Row>& rows, const Records& records,
                                  const std::vector<Run>& runs) {
  std::vector<std::string> list;
  if (const auto scopes = scopes_of(rows); scopes.size() > 1)
    list.push_back(fmt::format(
        "Energy was measured in different scopes ({}): joules of one are not comparable with those "
        "of another, and nothing here ranks them together.",
        fmt::join(scopes, ", ")));
  if (const std::size_t n = count_if(rows, [](const auto& r) { return r.state.throttled; }); n > 0)
    list.push_back(counted(n, "cell") + " ran on a device that throttled meanwhile.");
  if (const std::size_t n = count_if(rows, [](const auto& r) { return r.memory.paging; }); n > 0)
    list.push_back(counted(n, "cell") +
                   " read weights from storage again and again: the model does not fit in memory.");
  if (const std::size_t n = count_if(rows, [](const auto& r) { return r.other_load > 0.05; });
      n > 0)
    list.push_back(counted(n, "cell") +
                   " ran beside other programs that used more than 5 % of a processor.");
  std::set<std::string> of_report;
  for (const Row& row : rows) of_report.insert(row.record->run_id);
  for (const Run& run : runs)
    if (run.finished.empty() && of_report.contains(run.id))
      list.push_back(fmt::format("Run {} has not finished: {} so far.", run.id,
                                 counted(run.n_records, "record")));
  for (const std::string& message : records.unreadable)
    list.push_back("A record was left out: " + message);
  return list;
}

std::vector<Highlight> highlights(const std::vector<Row>& rows, const Options& options) {
  std::vector<Highlight> list;
  const auto best = [&](const char* label, const std::string& unit, bool largest, auto value,
                        auto origin, auto show) {
    const Row* winner = nullptr;
    for (const Row& row : rows) {
      if (!row.measured || !value(row)) continue;
      if (winner == nullptr ||
          (largest ? *value(row) > *value(*winner) : *value(row) < *value(*winner)))
        winner = &row;
    }
    if (winner != nullptr) {
      Cell cell = figure(*value(*winner), origin(*winner));
      cell.text = show(*value(*winner));
      list.push_back({label, unit, std::move(cell), winner->label});
    } else {
      list.push_back({label, unit, absent(common_reason(rows, value)), common_reason(rows, value)});
    }
  };
  const auto rounded = [](double v) { return number(v, 3); };
  const auto measured = [](const Row&) { return Origin::kMeasured; };
  const auto modelled = [](const Row&) { return Origin::kModelled; };
  best(
      "Fastest decode", "tokens/s", true,
      [](const Row& r) { return median_of(r.record->decode_tokens_per_s); }, measured, rounded);
  best(
      "Fastest prefill", "tokens/s", true,
      [](const Row& r) { return median_of(r.record->prefill_tokens_per_s); }, measured, rounded);
  best(
      "First token after", "ms", false, [](const Row& r) { return median_of(r.record->ttft_ms); },
      measured, rounded);
  best(
      "Least peak memory", "", false,
      [](const Row& r) {
        return derived(r.record->memory.peak_rss,
                       [](std::uint64_t bytes) { return static_cast<double>(bytes); });
      },
      measured, [](double v) { return bytes(v); });
  if (const auto scopes = scopes_of(rows); scopes.size() > 1) {
    const std::string reason = "several scopes of energy, which do not compare";
    list.push_back({"Least energy", "J/token", absent(reason), reason});
    list.push_back({"Energy cost", "", absent(reason), reason});
  } else {
    best(
        "Least energy", "J/token", false, [](const Row& r) { return r.decode_joules; },
        [](const Row& r) { return r.energy_origin; }, rounded);
    best(
        "Energy cost", options.prices.currency + "/M tokens", false,
        [](const Row& r) { return r.econ.energy_per_million; }, modelled, rounded);
  }
  return list;
}

Document build(const Records& records, const std::vector<Run>& runs, const Options& options) {
  const std::vector<Row> rows = rows_of(records, options);
  Document document;
  document.made = options.made;
  document.version = options.version;
  document.devices = device_sheets(rows);
  document.title = document.devices.size() == 1 ? document.devices.front().name
                   : document.devices.empty()
                       ? "Evaluations"
                       : counted(document.devices.size(), "device") + " compared";
  std::set<std::string> models;
  std::set<std::string> of_report;
  for (const Row& row : rows) {
    models.insert(row.model + row.record->settings.type);
    of_report.insert(row.record->run_id);
  }
  document.subtitle = fmt::format(
      "{} of {}, {}, from {}", counted(rows.size(), "cell"), counted(models.size(), "model file"),
      counted(records.quality.size(), "evaluation"), counted(of_report.size(), "run"));
  document.warnings = warnings(rows, records, runs);
  document.highlights = highlights(rows, options);
  document.origins = origins();
  document.sections = {speed_section(rows),
                       memory_section(rows),
                       energy_section(rows),
                       cost_section(rows, options),
                       quality_section(rows, records.quality),
                       utility_section(rows, options),
                       prediction_section(rows),
                       conditions_section(rows)};
  document.definitions = definitions(rows, options);
  for (Section& section : document.sections)
    for (Table& table : section.tables) settle_origins(table);
  return document;
}

}  // namespace edgelm::report
