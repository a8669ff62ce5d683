// Energy: joules per token, idle, and the trade-off with throughput. Scopes of sensors are kept
// apart: joules of a package say nothing beside joules of a wall plug.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/counted.h"

#include "econ/score.h"
#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

std::string scope_of(const Row& row) {
  if (row.record->sensor.id.empty()) return "";
  return std::string(device::scope_name(row.record->sensor.scope));
}

Table energy_table(const std::vector<Row>& rows) {
  const SettingColumns settings(rows);
  Table table{.id = "energy-table",
              .title = "Energy of every cell",
              .text =
                  "Gross: all that the sensor's scope drew. Net: without what it drew idle with "
                  "the model loaded. Compare rows of one scope only.",
              .empty = "No cell was measured.",
              .columns = settings.columns()};
  const std::vector<Column> figures = {
      {.title = "scope", .hint = "what the sensor's joules are of", .numeric = false},
      {.title = "prefill", .unit = "J/token gross"},
      {.title = "decode", .unit = "J/token gross"},
      {.title = "decode", .unit = "J/token net"},
      {.title = "decode", .unit = "tokens/J gross"},
      {.title = "S_t", .unit = "J s/token²", .hint = std::string(econ::kTradeOffDefinition)},
      {.title = "mean", .unit = "W while decoding"},
      {.title = "idle before", .unit = "W"},
      {.title = "idle after", .unit = "W"},
      {.title = "response", .unit = "J", .hint = "the cell's prompt and answer"},
      {.title = "remarks", .numeric = false}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  for (const Row& row : rows) {
    if (!row.measured) continue;
    const measure::Record& r = *row.record;
    const Origin origin = row.energy_origin;
    std::vector<Cell> cells = settings.cells(row);
    cells.push_back(r.sensor.id.empty() ? absent("no power sensor") : name(scope_of(row)));
    const auto spread = [&](const measure::EnergyOfPhase& phase) {
      return derived(phase.gross,
                     [&](const device::Energy& e) {
                       return fmt::format("± {} J of {} J over {} s, {}", number(e.uncertainty, 2),
                                          number(e.joules), number(e.seconds, 3),
                                          counted(e.n_samples, "reading"));
                     })
          .value_or("");
    };
    cells.push_back(figure(row.prefill_joules, origin, spread(r.prefill)));
    cells.push_back(figure(row.decode_joules, origin, spread(r.decode)));
    cells.push_back(figure(row.decode_joules_net, origin));
    cells.push_back(figure(derived(row.decode_joules, [](double j) { return 1 / j; }), origin));
    cells.push_back(
        figure(derived(row.econ.trade_off, [](const econ::TradeOff& t) { return t.s_t; }), origin,
               derived(row.econ.trade_off, [](const econ::TradeOff& t) {
                 return fmt::format("{} J/token / {} tokens/s", number(t.joules_per_token),
                                    number(t.tokens_per_s));
               }).value_or("")));
    cells.push_back(figure(
        derived(r.decode.gross, [](const device::Energy& e) { return e.mean_watts; }), origin));
    cells.push_back(figure(r.idle_watts_before, origin));
    cells.push_back(figure(r.idle_watts_after, origin));
    cells.push_back(figure(row.econ.joules_per_response, origin));
    std::string remarks;
    if (r.decode.gross && r.decode.gross->low_confidence) remarks = "low confidence";
    if (r.decode.gross && r.decode.gross->coverage < 0.95)
      remarks += fmt::format("{}{:.0f} % of the window without gaps", remarks.empty() ? "" : "; ",
                             r.decode.gross->coverage * 100);
    cells.push_back(name(remarks));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

// A point is on the front when no other has both more tokens per second and fewer joules.
void mark_front(Panel& panel) {
  std::vector<Point*> all;
  for (Series& series : panel.series)
    for (Point& point : series.points) all.push_back(&point);
  for (Point* point : all)
    point->flag = std::none_of(all.begin(), all.end(), [&](const Point* other) {
      return other->x >= point->x && other->y <= point->y &&
             (other->x > point->x || other->y < point->y);
    });
}

// Beside the front's points there is room for what tells these from each other only.
void name_front(Series& series, const std::vector<const Row*>& cells) {
  std::vector<const Row*> front;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (series.points[i].flag) front.push_back(cells[i]);
  const std::vector<std::string> names = labels(front);
  for (std::size_t i = 0, next = 0; i < cells.size(); ++i) {
    if (!series.points[i].flag) continue;
    const std::uint32_t threads = cells[i]->record->settings.threads;
    series.points[i].label = front.size() > 1 ? names[next]
                             : threads > 0    ? fmt::format("{} thr", threads)
                                              : "";
    ++next;
  }
}

Plot tradeoff_plot(const std::vector<Row>& rows) {
  Plot plot{.id = "tradeoff",
            .kind = "tradeoff",
            .title = "Throughput against energy",
            .caption =
                "Further right is faster, further down is thriftier. Filled and joined: the "
                "Pareto front, which no other cell beats in both.",
            .x_label = "decode, tokens/s",
            .y_label = "decode, J/token (gross)"};
  plot.empty =
      "Energy n/a: " + common_reason(rows, [](const Row& row) { return row.decode_joules; }) + ".";
  // By device and scope, then by model and type.
  std::map<std::string, std::map<std::string, std::vector<const Row*>>> panels;
  for (const Row& row : rows) {
    if (!row.measured || !row.decode_joules || !row.record->decode_tokens_per_s) continue;
    const std::string title =
        fmt::format("{} ({}), scope: {}", device_name(row.record->passport),
                    row.record->passport.fingerprint.substr(0, 6), scope_of(row));
    const bool repeated = row.model.find(row.record->settings.type) != std::string::npos;
    panels[title][repeated ? row.model : row.model + " · " + row.record->settings.type].push_back(
        &row);
  }
  for (const auto& [title, models] : panels) {
    Panel panel{.title = title};
    for (const auto& [name, cells] : models) {
      Series series{.name = name, .origin = cells.front()->energy_origin};
      const std::vector<std::string> names = labels(cells);
      for (std::size_t i = 0; i < cells.size(); ++i)
        series.points.push_back({.x = cells[i]->record->decode_tokens_per_s->median,
                                 .y = *cells[i]->decode_joules,
                                 .label = cells.size() > 1 ? names[i] : ""});
      panel.note = cells.front()->record->sensor.name;
      panel.series.push_back(std::move(series));
    }
    mark_front(panel);
    std::size_t i = 0;
    for (const auto& [name, cells] : models) name_front(panel.series[i++], cells);
    plot.panels.push_back(std::move(panel));
  }
  if (plot.panels.size() > 1)
    plot.remarks.emplace_back(
        "Each panel is one device and one scope of energy. Joules of different scopes are not "
        "comparable: published values of one board differ two- to threefold by scope alone.");
  return plot;
}

}  // namespace

Section energy_section(const std::vector<Row>& rows) {
  Section section{.id = "energy", .title = "Energy"};
  section.plots.push_back(tradeoff_plot(rows));
  section.tables.push_back(energy_table(rows));
  return section;
}

}  // namespace edgelm::report
