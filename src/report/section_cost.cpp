// Money and carbon: per answer, per million tokens, and when a device has paid for itself beside a
// cloud. Measured joules and speeds times stated prices: modelled, with the prices named.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

std::string scope_note(const Row& row) {
  return row.record->sensor.id.empty()
             ? ""
             : fmt::format("scope {}", device::scope_name(row.record->sensor.scope));
}

Table cost_table(const std::vector<Row>& rows, const Options& options) {
  const econ::Prices& prices = options.prices;
  const SettingColumns settings(rows);
  const std::string& currency = prices.currency;
  Table table{
      .id = "cost-table",
      .title = "Cost and use of every cell",
      .text = fmt::format(
          "Electricity {} {}/kWh ({}, {}); {} g CO2e/kWh ({}, {}); devices last {} years and "
          "generate {} % of the time (assumed). Prices: {}. A response is the cell's prompt and "
          "answer. Energy is gross, of the scope that the sensor has: compare one scope only.",
          plain(prices.price_per_kwh), currency, prices.electricity_source, prices.electricity_date,
          plain(prices.grams_per_kwh), prices.carbon_source, prices.carbon_date,
          plain(prices.lifetime_years), plain(prices.utilisation * 100), prices.origin),
      .empty = "No cell was measured.",
      .columns = settings.columns()};
  const std::vector<Column> figures = {
      {.title = "use", .hint = "by TTFT and reading speed", .numeric = false},
      {.title = "scope", .hint = "what the joules are of", .numeric = false},
      {.title = "response", .unit = "s"},
      {.title = "CPR", .unit = "cent", .hint = "cost per response: energy alone"},
      {.title = "energy", .unit = currency + "/M tokens"},
      {.title = "hardware", .unit = currency + "/M tokens"},
      {.title = "total", .unit = currency + "/M tokens"},
      {.title = "carbon, energy", .unit = "g CO2e/response"},
      {.title = "carbon, device", .unit = "g CO2e/response"}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  constexpr Origin kModel = Origin::kModelled;
  for (const Row& row : rows) {
    if (!row.measured) continue;
    const econ::Summary& e = row.econ;
    std::vector<Cell> cells = settings.cells(row);
    cells.push_back(e.usability ? name(std::string(econ::usability_name(*e.usability)))
                                : absent(e.usability.error().reason));
    cells.push_back(row.record->sensor.id.empty()
                        ? absent("no power sensor")
                        : name(std::string(device::scope_name(row.record->sensor.scope))));
    cells.push_back(figure(e.seconds_per_response, Origin::kMeasured));
    cells.push_back(figure(derived(e.cost_per_response, [](double c) { return c * 100; }), kModel));
    for (const auto* one : {&e.energy_per_million, &e.hardware_per_million, &e.total_per_million,
                            &e.operational_grams, &e.embodied_grams})
      cells.push_back(figure(*one, kModel));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

// Per device the cell that costs least per million tokens; where energy is n/a, the fastest.
std::vector<const Row*> best_of_devices(const std::vector<Row>& rows) {
  std::map<std::string, const Row*> best;
  std::vector<std::string> order;
  const auto rank = [](const Row& row) {
    if (row.econ.energy_per_million) return std::pair(0, *row.econ.energy_per_million);
    return std::pair(1, -median_of(row.record->decode_tokens_per_s).value_or(0));
  };
  for (const Row& row : rows) {
    if (!row.measured || row.record->settings.decode_tokens == 0) continue;
    const Row*& place = best[row.record->passport.fingerprint];
    if (place == nullptr) order.push_back(row.record->passport.fingerprint);
    if (place == nullptr || rank(row) < rank(*place)) place = &row;
  }
  std::vector<const Row*> list;
  list.reserve(order.size());
  for (const std::string& key : order) list.push_back(best[key]);
  return list;
}

std::string large(double value) {
  return value < 1e15 ? count(static_cast<std::uint64_t>(value)) : plain(value);
}

Table cloud_table(const std::vector<const Row*>& best, const Options& options) {
  const std::string& currency = options.prices.currency;
  Table table{.id = "break-even",
              .title = "Edge against cloud: break-even",
              .text =
                  "Of the thriftiest cell of each device (the fastest where energy is n/a): from "
                  "how many generated tokens on the device has paid for itself by what its energy "
                  "costs less than the cloud.",
              .empty = "No cell that generates tokens was measured.",
              .columns = {{.title = "edge", .numeric = false},
                          {.title = "cloud", .numeric = false},
                          {.title = "cloud response", .unit = "cent"},
                          {.title = "edge response", .unit = "cent, energy"},
                          {.title = "cloud", .unit = currency + "/M generated"},
                          {.title = "break-even", .unit = "tokens"},
                          {.title = "break-even", .unit = "tokens/day of its life"},
                          {.title = "break-even", .unit = "days without pause"}}};
  for (const Row* row : best) {
    for (const econ::CloudComparison& cloud : row->econ.clouds) {
      const auto of = [&](Known<double> econ::BreakEven::*field) -> Known<double> {
        if (!cloud.break_even) return not_available(cloud.break_even.error().reason);
        return (*cloud.break_even).*field;
      };
      const double output = row->record->settings.decode_tokens;
      Cell tokens = figure(of(&econ::BreakEven::tokens), Origin::kModelled);
      if (tokens.value) tokens.text = large(*tokens.value);
      table.rows.push_back(
          {name(device_name(row->record->passport) + ": " + row->label), name(cloud.model.name),
           figure(cloud.cost_per_response * 100, Origin::kStated,
                  cloud.model.source + ", " + cloud.model.date),
           figure(derived(row->econ.cost_per_response, [](double c) { return c * 100; }),
                  Origin::kModelled, scope_note(*row)),
           figure(cloud.cost_per_response / output * 1e6, Origin::kStated), std::move(tokens),
           figure(of(&econ::BreakEven::tokens_per_day), Origin::kModelled),
           figure(of(&econ::BreakEven::days_nonstop), Origin::kModelled)});
    }
  }
  return table;
}

// Costs at decades of generated tokens.
template <class F>
std::vector<Point> line(F&& cost) {
  std::vector<Point> points;
  constexpr int kSteps = 32;
  points.reserve(kSteps + 1);
  for (int i = 0; i <= kSteps; ++i) {
    const double tokens = std::pow(10.0, 5 + 5.0 * i / kSteps);
    points.push_back({.x = tokens, .y = cost(tokens)});
  }
  return points;
}

Panel cost_panel(const Row& row, const Options& options, std::vector<std::string>& remarks) {
  Panel panel{.title = device_name(row.record->passport), .note = row.label};
  const econ::Prices& prices = options.prices;
  const econ::DevicePrice* price = prices.find_device(device_name(row.record->passport));
  const double output = row.record->settings.decode_tokens;
  const Known<double> per_token =
      derived(row.econ.cost_per_response, [&](double c) { return c / output; });
  if (per_token && price != nullptr)
    panel.series.push_back(
        {.name = "edge: device and energy",
         .origin = Origin::kModelled,
         .points = line([&](double t) { return price->price + t * *per_token; })});
  if (per_token)
    panel.series.push_back({.name = "edge: energy alone",
                            .kind = "dash",
                            .origin = Origin::kModelled,
                            .points = line([&](double t) { return t * *per_token; })});
  else
    remarks.push_back(fmt::format("{}: no line for the edge, energy n/a: {}.", panel.title,
                                  per_token.error().reason));
  if (price == nullptr)
    remarks.push_back(
        fmt::format("{}: no price of this device in the list ({}); --prices FILE adds it.",
                    panel.title, prices.origin));
  // The clouds from cheap to dear: the cheapest, the dearest and one between tell the story.
  std::vector<const econ::CloudComparison*> clouds;
  clouds.reserve(row.econ.clouds.size());
  for (const econ::CloudComparison& cloud : row.econ.clouds) clouds.push_back(&cloud);
  std::sort(clouds.begin(), clouds.end(), [](const auto* a, const auto* b) {
    return a->cost_per_response < b->cost_per_response;
  });
  std::vector<std::size_t> shown = {0, clouds.size() / 2, clouds.size() - 1};
  shown.erase(std::unique(shown.begin(), shown.end()), shown.end());
  if (clouds.empty()) shown.clear();
  Series meets{.name = "break-even", .kind = "meet", .origin = Origin::kModelled};
  for (const std::size_t i : shown) {
    const double token = clouds[i]->cost_per_response / output;
    panel.series.push_back({.name = "cloud: " + clouds[i]->model.name,
                            .origin = Origin::kStated,
                            .points = line([&](double t) { return t * token; })});
    if (clouds[i]->break_even && clouds[i]->break_even->tokens && price != nullptr) {
      const double at = *clouds[i]->break_even->tokens;
      if (at >= 1e5 && at <= 1e10)
        meets.points.push_back(
            {.x = at, .y = at * token, .label = clouds[i]->model.name, .flag = true});
    }
  }
  if (!meets.points.empty()) panel.series.push_back(std::move(meets));
  return panel;
}

Plot cost_plot(const std::vector<const Row*>& best, const Options& options) {
  Plot plot{.id = "cost-by-tokens",
            .kind = "cost",
            .title = "Edge against cloud",
            .caption =
                "What all generated tokens so far have cost, their share of the prompt "
                "included. Where a cloud's line crosses the device's, the device has paid for "
                "itself.",
            .x_label = "generated tokens",
            .y_label = "cost so far, " + options.prices.currency,
            .empty = "No cell that generates tokens was measured."};
  for (const Row* row : best) {
    Panel panel = cost_panel(*row, options, plot.remarks);
    if (!panel.series.empty()) plot.panels.push_back(std::move(panel));
  }
  return plot;
}

}  // namespace

Section cost_section(const std::vector<Row>& rows, const Options& options) {
  Section section{.id = "cost", .title = "Cost"};
  const std::vector<const Row*> best = best_of_devices(rows);
  section.plots.push_back(cost_plot(best, options));
  section.tables.push_back(cost_table(rows, options));
  section.tables.push_back(cloud_table(best, options));
  return section;
}

}  // namespace edgelm::report
