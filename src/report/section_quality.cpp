// Quality: scores with their uncertainty and the level of guessing, against the size of the file
// and against joules per token.

#include <fmt/format.h>

#include <map>
#include <utility>

#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

using quality::Record;

// The newest evaluation of each model, data set and protocol.
std::vector<const Record*> newest(const std::vector<Record>& records) {
  std::map<std::string, std::size_t> last;
  for (std::size_t i = 0; i < records.size(); ++i) last[cell_key(records[i]) + records[i].type] = i;
  std::vector<const Record*> chosen;
  for (std::size_t i = 0; i < records.size(); ++i)
    if (last[cell_key(records[i]) + records[i].type] == i) chosen.push_back(&records[i]);
  return chosen;
}

std::string label_of(const Record& r) {
  const std::string model = short_model(r.model);
  return r.type.empty() || model.find(r.type) != std::string::npos ? model : model + " · " + r.type;
}

Table quality_table(const std::vector<const Record*>& records) {
  Table table{.id = "quality-table",
              .title = "Scores",
              .text = "With the 95 % interval in brackets, and what guessing would score.",
              .empty = "No evaluation is stored: `edgelm eval` makes one.",
              .columns = {{.title = "model", .numeric = false},
                          {.title = "file"},
                          {.title = "task", .numeric = false},
                          {.title = "metric", .numeric = false},
                          {.title = "score"},
                          {.title = "standard error"},
                          {.title = "guessing"},
                          {.title = "items"},
                          {.title = "protocol", .numeric = false},
                          {.title = "data", .numeric = false}}};
  for (const Record* r : records) {
    Cell score = figure(r->value, Origin::kMeasured);
    if (score.value && r->high > r->low)
      score.text += fmt::format(" [{}, {}]", number(r->low), number(r->high));
    table.rows.push_back(
        {name(label_of(*r)),
         r->file_bytes > 0 ? size(r->file_bytes, Origin::kMeasured)
                           : absent("an endpoint does not tell its file"),
         name(r->task), name(r->metric), std::move(score),
         r->value ? figure(r->standard_error, Origin::kMeasured) : absent(r->value.error().reason),
         figure(r->random_level, Origin::kModelled, "by the number of choices"), whole(r->n),
         name(r->protocol), name(r->data)});
  }
  return table;
}

Point point_of(const Record& r, double x) {
  Point point{.x = x, .y = *r.value, .label = label_of(r)};
  if (r.high > r.low) point.interval = {r.low, r.high};
  return point;
}

struct Panels {
  std::map<std::string, Panel> by_title;
  std::vector<std::string> order;

  Panel& of(const std::string& title, const Record& r) {
    if (!by_title.contains(title)) {
      order.push_back(title);
      by_title[title] = {.title = title, .y_label = r.metric, .level = std::nullopt};
      if (r.random_level) by_title[title].level = *r.random_level;
    }
    return by_title[title];
  }
  void move_to(Plot& plot) {
    for (const std::string& title : order) plot.panels.push_back(std::move(by_title[title]));
  }
};

// One series per model family would need names to be understood; one per type tells quantization.
void add(Panel& panel, const std::string& series, Point point) {
  for (Series& one : panel.series) {
    if (one.name != series) continue;
    one.points.push_back(std::move(point));
    return;
  }
  panel.series.push_back({.name = series, .points = {std::move(point)}});
}

Plot size_plot(const std::vector<const Record*>& records) {
  Plot plot{.id = "quality-size",
            .kind = "quality_size",
            .title = "Quality against size",
            .caption = "Scores with 95 % intervals against the size of the model's file.",
            .x_label = "file",
            .y_label = "score",
            .empty = "No evaluation of a model file is stored: `edgelm eval` makes one."};
  Panels panels;
  for (const Record* r : records) {
    if (!r->value || r->file_bytes == 0) continue;
    add(panels.of(r->task + ": " + r->metric, *r), r->type.empty() ? "type unknown" : r->type,
        point_of(*r, static_cast<double>(r->file_bytes)));
  }
  panels.move_to(plot);
  return plot;
}

bool same_model(const Record& q, const Row& row) {
  const measure::Settings& s = row.record->settings;
  if (!q.model_hash.empty() && !s.model_hash.empty()) return q.model_hash == s.model_hash;
  return short_model(q.model) == row.model && q.type == s.type;
}

Plot energy_plot(const std::vector<const Record*>& records, const std::vector<Row>& rows) {
  Plot plot{.id = "quality-energy",
            .kind = "quality_energy",
            .title = "Quality against energy",
            .caption =
                "Scores against the joules of a generated token, of the thriftiest cell of "
                "each model; one panel per task, device and scope of energy.",
            .x_label = "decode, J/token (gross)",
            .y_label = "score"};
  Panels panels;
  bool joined = false;
  for (const Record* r : records) {
    if (!r->value) continue;
    std::map<std::string, const Row*> best;
    for (const Row& row : rows) {
      if (!row.measured || !same_model(*r, row)) continue;
      joined = true;
      if (!row.decode_joules) continue;
      const std::string where = fmt::format("{} ({}), scope: {}", device_name(row.record->passport),
                                            row.record->passport.fingerprint.substr(0, 6),
                                            device::scope_name(row.record->sensor.scope));
      const Row*& place = best[where];
      if (place == nullptr || *row.decode_joules < *place->decode_joules) place = &row;
    }
    for (const auto& [where, row] : best)
      add(panels.of(fmt::format("{}: {} · {}", r->task, r->metric, where), *r),
          r->type.empty() ? "type unknown" : r->type, point_of(*r, *row->decode_joules));
  }
  panels.move_to(plot);
  if (records.empty()) {
    plot.empty = "No evaluation is stored: `edgelm eval` makes one.";
  } else if (!joined) {
    plot.empty = "No model was both evaluated and measured.";
  } else {
    plot.empty =
        "Energy n/a: " + common_reason(rows, [](const Row& row) { return row.decode_joules; }) +
        ".";
  }
  return plot;
}

}  // namespace

Section quality_section(const std::vector<Row>& rows, const std::vector<Record>& records) {
  const std::vector<const Record*> chosen = newest(records);
  Section section{.id = "quality", .title = "Quality"};
  section.plots.push_back(size_plot(chosen));
  section.plots.push_back(energy_plot(chosen, rows));
  section.tables.push_back(quality_table(chosen));
  return section;
}

}  // namespace edgelm::report
