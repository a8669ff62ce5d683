// Quality and responsiveness per cost: the table of arXiv 2505.16508 (Q, R, U, CPR, PCR), for the
// cells of this report and the clouds of the price list.

#include <fmt/format.h>

#include <utility>

#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

Known<econ::Utility> utility_of(const Row& row, double alpha) {
  if (!row.quality) return not_available(row.quality.error().reason);
  if (!row.econ.responsiveness) return not_available(row.econ.responsiveness.error().reason);
  if (!row.econ.cost_per_response) return not_available(row.econ.cost_per_response.error().reason);
  return econ::utility(alpha, *row.quality, *row.econ.responsiveness, *row.econ.cost_per_response);
}

// U needs no cost: it is told where only the energy is absent.
Known<double> u_of(const Row& row, double alpha) {
  if (!row.quality) return not_available(row.quality.error().reason);
  if (!row.econ.responsiveness) return not_available(row.econ.responsiveness.error().reason);
  return alpha * *row.quality + (1 - alpha) * *row.econ.responsiveness;
}

}  // namespace

Section utility_section(const std::vector<Row>& rows, const Options& options) {
  const SettingColumns settings(rows);
  Section section{.id = "utility", .title = "Utility per cost"};
  Table table{
      .id = "pcr",
      .title = "Q, R, U, CPR and PCR",
      .text = fmt::format("{}. {}. Q is the accuracy of the stored evaluation that is named. "
                          "Alpha is swept because no value is right for everybody. The edge's "
                          "CPR is energy alone, which flatters it: see the cost with hardware "
                          "above. PCR compares within one scope of energy only.",
                          econ::kUtilityDefinition, econ::kResponsivenessFormula),
      .empty = "No cell was measured.",
      .columns = settings.columns()};
  const std::vector<Column> figures = {
      {.title = "scope", .numeric = false}, {.title = "Q"}, {.title = "of", .numeric = false},
      {.title = "TTFT", .unit = "s"},       {.title = "R"}, {.title = "CPR", .unit = "cent"}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  for (const double alpha : options.alphas) {
    table.columns.push_back({.title = "U", .unit = "alpha " + plain(alpha)});
    table.columns.push_back({.title = "PCR", .unit = "alpha " + plain(alpha)});
  }
  double prompt = 0;
  double output = 0;
  for (const Row& row : rows) {
    if (!row.measured) continue;
    prompt = row.record->settings.prompt_tokens;
    output = row.record->settings.decode_tokens;
    std::vector<Cell> cells = settings.cells(row);
    const std::vector<Cell> scores = {
        row.record->sensor.id.empty()
            ? absent("no power sensor")
            : name(std::string(device::scope_name(row.record->sensor.scope))),
        figure(row.quality, Origin::kMeasured),
        name(row.quality_task),
        figure(derived(median_of(row.record->ttft_ms), [](double ms) { return ms * 1e-3; }),
               Origin::kMeasured),
        figure(row.econ.responsiveness, Origin::kModelled),
        figure(derived(row.econ.cost_per_response, [](double c) { return c * 100; }),
               Origin::kModelled)};
    cells.insert(cells.end(), scores.begin(), scores.end());
    for (const double alpha : options.alphas) {
      cells.push_back(figure(u_of(row, alpha), Origin::kModelled));
      const Known<econ::Utility> utility = utility_of(row, alpha);
      cells.push_back(
          figure(utility ? utility->pcr : Known<double>(not_available(utility.error().reason)),
                 Origin::kModelled));
    }
    table.rows.push_back(std::move(cells));
  }
  // Clouds, for the tokens of the last row: their quality and wait are not measured by this
  // program.
  if (!table.rows.empty() && output > 0) {
    for (const econ::CloudModel& cloud : options.prices.cloud) {
      std::vector<Cell> cells(settings.columns().size() + 1, name(""));
      cells.front() = name("cloud: " + cloud.name);
      const std::vector<Cell> scores = {
          absent("not evaluated here"), name(""), absent("not measured here"),
          absent("not measured here"),
          figure(econ::cloud_cost(cloud, prompt, output) * 100, Origin::kStated,
                 fmt::format("{}, {}; {:.0f} tokens in, {:.0f} out", cloud.source, cloud.date,
                             prompt, output))};
      cells.insert(cells.end(), scores.begin(), scores.end());
      while (cells.size() < table.columns.size()) cells.push_back(absent("Q and R are n/a"));
      table.rows.push_back(std::move(cells));
    }
  }
  section.tables.push_back(std::move(table));
  return section;
}

}  // namespace edgelm::report
