// Prediction against measurement, cell by cell: how far src/predict is from this device.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/counted.h"

#include "report/figures.h"
#include "report/sections.h"
#include "stats/summary.h"

namespace edgelm::report {
namespace {

using predict::Interval;
using predict::Prediction;

struct Quantity {
  const char* title;
  const char* unit;
  Known<double> (*measured)(const Row&);
  Known<Interval> (*predicted)(const Prediction&);
};

Known<Interval> speed_of(const std::vector<predict::Speed>& speeds) {
  if (speeds.empty()) return not_available("not predicted");
  return speeds.front().tokens_per_s;
}

const std::vector<Quantity>& quantities() {
  static const std::vector<Quantity> kAll = {
      {"Decode", "tokens/s", [](const Row& r) { return median_of(r.record->decode_tokens_per_s); },
       [](const Prediction& p) { return speed_of(p.decode); }},
      {"Prefill", "tokens/s",
       [](const Row& r) { return median_of(r.record->prefill_tokens_per_s); },
       [](const Prediction& p) { return speed_of(p.prefill); }},
      {"TTFT", "ms", [](const Row& r) { return median_of(r.record->ttft_ms); },
       [](const Prediction& p) {
         return derived(p.ttft_s, [](const Interval& s) {
           return Interval{s.value * 1e3, s.low * 1e3, s.high * 1e3};
         });
       }},
      {"Decode energy", "J/token", [](const Row& r) { return r.decode_joules; },
       [](const Prediction& p) {
         return p.decode.empty() ? Known<Interval>(not_available("not predicted"))
                                 : p.decode.front().joules_per_token;
       }}};
  return kAll;
}

Known<Interval> predicted_of(const Row& row, const Quantity& quantity) {
  if (!row.prediction) return not_available(row.prediction.error().reason);
  return quantity.predicted(*row.prediction);
}

Table prediction_table(const std::vector<Row>& rows) {
  const SettingColumns settings(rows);
  Table table{.id = "prediction-table",
              .title = "Predicted and measured",
              .text =
                  "Predicted from the model's header and the passport's measured kernels, with the "
                  "interval that the predictor states. Error: predicted / measured - 1.",
              .empty = "No cell was measured.",
              .columns = settings.columns()};
  for (const Quantity& q : quantities()) {
    table.columns.push_back({.title = q.title, .unit = q.unit});
    table.columns.push_back({.title = q.title, .unit = q.unit});
    table.columns.push_back({.title = "error", .unit = "%"});
  }
  table.columns.push_back({.title = "bound by", .numeric = false});
  for (const Row& row : rows) {
    if (!row.measured) continue;
    std::vector<Cell> cells = settings.cells(row);
    for (const Quantity& q : quantities()) {
      const Known<double> measured = q.measured(row);
      const Known<Interval> predicted = predicted_of(row, q);
      cells.push_back(figure(measured, Origin::kMeasured));
      Cell cell =
          figure(derived(predicted, [](const Interval& i) { return i.value; }), Origin::kPredicted);
      if (cell.value)
        cell.text += fmt::format(" [{}, {}]", number(predicted->low), number(predicted->high));
      cells.push_back(std::move(cell));
      if (measured && predicted && *measured > 0) {
        const double error = (predicted->value / *measured - 1) * 100;
        cells.push_back({.text = fmt::format("{:+.1f}", error),
                         .value = error,
                         .origin = Origin::kPredicted,
                         .note = "predicted against measured"});
      } else {
        cells.push_back(absent(measured ? predicted.error().reason : measured.error().reason));
      }
    }
    cells.push_back(row.prediction && !row.prediction->decode.empty()
                        ? name(std::string(predict::term_name(row.prediction->decode.front().term)))
                        : name(""));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Plot prediction_plot(const std::vector<Row>& rows) {
  Plot plot{.id = "predicted-measured",
            .kind = "prediction",
            .title = "Prediction against measurement",
            .caption =
                "On the line they agree; the grey band is 15 % to either side. Bars: the "
                "predictor's own interval.",
            .x_label = "measured",
            .y_label = "predicted"};
  plot.empty =
      "No prediction: " + common_reason(rows, [](const Row& row) { return row.prediction; }) + ".";
  for (const Quantity& q : quantities()) {
    Panel panel{.title = fmt::format("{}, {}", q.title, q.unit)};
    std::vector<double> errors;
    for (const Row& row : rows) {
      const Known<double> measured = q.measured(row);
      const Known<Interval> predicted = predicted_of(row, q);
      if (!row.measured || !measured || !predicted || !(*measured > 0) || !(predicted->value > 0))
        continue;
      const std::string series =
          row.record->settings.type.empty() ? "type unknown" : row.record->settings.type;
      auto at = std::find_if(panel.series.begin(), panel.series.end(),
                             [&](const Series& s) { return s.name == series; });
      if (at == panel.series.end())
        at = panel.series.insert(at, {.name = series, .origin = Origin::kPredicted});
      at->points.push_back({.x = *measured,
                            .y = predicted->value,
                            .interval = std::pair(predicted->low, predicted->high),
                            .label = row.label});
      errors.push_back(std::fabs(predicted->value / *measured - 1) * 100);
    }
    if (errors.empty()) continue;
    panel.note = fmt::format("median absolute error {} % over {}", number(stats::median(errors), 3),
                             counted(errors.size(), "cell"));
    plot.panels.push_back(std::move(panel));
  }
  return plot;
}

}  // namespace

Section prediction_section(const std::vector<Row>& rows) {
  Section section{.id = "prediction", .title = "Prediction"};
  section.plots.push_back(prediction_plot(rows));
  if (!section.plots.front().panels.empty()) section.tables.push_back(prediction_table(rows));
  return section;
}

}  // namespace edgelm::report
