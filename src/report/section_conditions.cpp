// Conditions: power, clock and temperature along each cell, throttling, and what else ran.

#include <cmath>
#include <map>
#include <utility>

#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

Series states_of(const measure::Record& r, const char* name, double device::StateSample::*field,
                 double scale) {
  Series series{.name = name, .kind = "line"};
  for (const device::StateSample& s : r.states)
    if (std::isfinite(s.*field) && s.*field > 0)
      series.points.push_back({.x = static_cast<double>(s.t_ns) * 1e-9, .y = s.*field * scale});
  return series;
}

Panel time_line(const Row& row) {
  const measure::Record& r = *row.record;
  Panel panel{.title = row.label};
  Series power{.name = "power, W (" + std::string(device::scope_name(r.sensor.scope)) + ")",
               .kind = "area",
               .origin = row.energy_origin};
  for (const device::Reading& reading : r.watts)
    if (std::isfinite(reading.value))
      power.points.push_back({.x = static_cast<double>(reading.t_ns) * 1e-9, .y = reading.value});
  for (Series series :
       {std::move(power), states_of(r, "clock, GHz", &device::StateSample::cpu_hz, 1e-9),
        states_of(r, "temperature, °C", &device::StateSample::celsius, 1)})
    if (series.points.size() > 1) panel.series.push_back(std::move(series));
  Series events{.name = "throttled", .kind = "event"};
  std::uint64_t seen = r.states.empty() ? 0 : r.states.front().throttle_events;
  for (const device::StateSample& s : r.states) {
    if (s.throttle_events > seen)
      events.points.push_back({.x = static_cast<double>(s.t_ns) * 1e-9,
                               .label = s.throttle.empty() ? "throttled" : s.throttle});
    seen = s.throttle_events;
  }
  if (!events.points.empty() && !panel.series.empty()) panel.series.push_back(std::move(events));
  panel.spans.reserve(r.phases.size());
  for (const measure::PhaseSpan& span : r.phases)
    panel.spans.push_back({.name = std::string(measure::phase_word(span.phase)),
                           .begin = static_cast<double>(span.begin_ns) * 1e-9,
                           .end = static_cast<double>(span.end_ns) * 1e-9});
  if (r.sensor.id.empty()) panel.note = "Power n/a: no power sensor on this device.";
  return panel;
}

Plot time_lines(const std::vector<Row>& rows) {
  Plot plot{.id = "time-line",
            .kind = "timeline",
            .title = "Power, clock and temperature over time",
            .caption =
                "As sampled along one cell, from load to the end. Shaded: the phases; prefill and "
                "decode are the counted repetitions with the energy window behind them. Upright "
                "lines: moments when the device throttled.",
            .x_label = "seconds since the cell began",
            .y_label = "",
            .empty =
                "Nothing was sampled along: no power sensor, no clock and no thermal zone can be "
                "read on this device.",
            .one_panel = true};
  for (const Row& row : rows) {
    Panel panel = time_line(row);
    if (!panel.series.empty()) plot.panels.push_back(std::move(panel));
  }
  return plot;
}

Table conditions_table(const std::vector<Row>& rows) {
  const SettingColumns settings(rows);
  Table table{.id = "conditions-table",
              .title = "Conditions of every cell",
              .empty = "No cell was measured.",
              .columns = settings.columns()};
  const std::vector<Column> figures = {{.title = "began", .unit = "UTC", .numeric = false},
                                       {.title = "hottest", .unit = "°C"},
                                       {.title = "clock", .unit = "GHz median"},
                                       {.title = "clock", .unit = "GHz lowest"},
                                       {.title = "throttled", .numeric = false},
                                       {.title = "other programs", .unit = "processors busy"},
                                       {.title = "warm-up", .unit = "runs"},
                                       {.title = "repetitions"},
                                       {.title = "notes", .numeric = false}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  for (const Row& row : rows) {
    if (!row.measured) continue;
    const measure::Record& r = *row.record;
    std::vector<Cell> cells = settings.cells(row);
    cells.push_back(name(r.time));
    cells.push_back(figure(r.state.max_celsius, Origin::kMeasured));
    for (const auto* hz : {&r.state.median_hz, &r.state.min_hz})
      cells.push_back(figure(derived(*hz, [](double v) { return v * 1e-9; }), Origin::kMeasured));
    const Known<bool> slowed = throttled(r);
    cells.push_back(!slowed                 ? absent(slowed.error().reason)
                    : !*slowed              ? name("no")
                    : r.state.cause.empty() ? name("yes")
                                            : name(r.state.cause));
    cells.push_back(figure(r.other_load, Origin::kMeasured));
    cells.push_back(whole(r.warmup_runs));
    cells.push_back(r.decode_tokens_per_s    ? whole(r.decode_tokens_per_s->samples.size())
                    : r.prefill_tokens_per_s ? whole(r.prefill_tokens_per_s->samples.size())
                                             : absent("nothing was repeated"));
    std::string notes;
    for (const std::string& note : r.notes) notes.append(notes.empty() ? "" : "; ").append(note);
    cells.push_back(name(std::move(notes)));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

Section conditions_section(const std::vector<Row>& rows) {
  Section section{.id = "conditions", .title = "Conditions"};
  section.plots.push_back(time_lines(rows));
  section.tables.push_back(conditions_table(rows));
  return section;
}

}  // namespace edgelm::report
