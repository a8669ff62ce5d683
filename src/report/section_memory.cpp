// Memory: by part as the engine planned it, and as the system measured it.

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

using measure::Record;

Known<std::uint64_t> planned_total(const Record& r) {
  std::uint64_t total = 0;
  for (const auto* part : {&r.planned.weights, &r.planned.kv, &r.planned.compute}) {
    if (!*part) return *part;
    total += **part;
  }
  return total + r.planned.runtime.value_or(0);
}

Known<std::uint64_t> measured_total(const Record& r) {
  if (r.memory.pss_file && r.memory.pss_anonymous)
    return *r.memory.pss_file + *r.memory.pss_anonymous;
  return r.memory.peak_rss;
}

Table memory_table(const std::vector<Row>& rows) {
  const SettingColumns settings(rows);
  Table table{.id = "memory-table",
              .title = "Memory of every cell",
              .text =
                  "Planned by the engine before it starts (predicted), beside what the system "
                  "counted (measured). Pss counts pages shared with others by their share.",
              .empty = "No cell was measured.",
              .columns = settings.columns()};
  for (const char* part : {"weights", "KV cache", "compute", "program"})
    table.columns.push_back({.title = part, .unit = "planned"});
  table.columns.push_back({.title = "total", .unit = "planned"});
  table.columns.push_back({.title = "Pss of files", .hint = "mapped weights"});
  table.columns.push_back({.title = "Pss anonymous", .hint = "cache, buffers, packed weights"});
  table.columns.push_back({.title = "peak RSS"});
  table.columns.push_back({.title = "cgroup peak"});
  table.columns.push_back({.title = "major faults", .hint = "pages read from storage while timed"});
  table.columns.push_back({.title = "weights resident", .unit = "%"});
  for (const Row& row : rows) {
    if (!row.measured) continue;
    const Record& r = *row.record;
    std::vector<Cell> cells = settings.cells(row);
    for (const auto* part :
         {&r.planned.weights, &r.planned.kv, &r.planned.compute, &r.planned.runtime})
      cells.push_back(size(*part, Origin::kPredicted));
    cells.push_back(size(planned_total(r), Origin::kPredicted));
    for (const auto* one :
         {&r.memory.pss_file, &r.memory.pss_anonymous, &r.memory.peak_rss, &r.memory.cgroup_peak})
      cells.push_back(size(*one, Origin::kMeasured));
    Cell faults = size(r.memory.major_faults, Origin::kMeasured);
    if (faults.value) faults.text = number(*faults.value, 9);
    cells.push_back(std::move(faults));
    cells.push_back(figure(derived(r.memory.weights_resident, [](double v) { return v * 100; }),
                           Origin::kMeasured));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

struct Plan {
  double positions, weights, kv, compute, runtime;
  bool proportion;  // not planned by the engine: KV in proportion to a plan
};

// The parts of one model at each context that was measured, and beyond them at powers of two up to
// where the cache has outgrown the weights.
std::vector<Plan> plans_of(const std::vector<const Row*>& rows) {
  std::vector<Plan> plans;
  for (const Row* row : rows) {
    const auto& p = row->record->planned;
    plans.push_back({static_cast<double>(positions(row->record->settings)),
                     static_cast<double>(*p.weights), static_cast<double>(*p.kv),
                     static_cast<double>(*p.compute), static_cast<double>(p.runtime.value_or(0)),
                     false});
  }
  std::sort(plans.begin(), plans.end(),
            [](const Plan& a, const Plan& b) { return a.positions < b.positions; });
  plans.erase(std::unique(plans.begin(), plans.end(),
                          [](const Plan& a, const Plan& b) { return a.positions == b.positions; }),
              plans.end());
  const Plan last = plans.back();
  if (!(last.kv > 0) || !(last.positions > 0)) return plans;
  constexpr std::array<double, 6> kContexts = {1024, 2048, 4096, 8192, 16384, 32768};
  for (const double context : kContexts) {
    if (context <= last.positions * 1.2) continue;
    const double kv = last.kv / last.positions * context;
    plans.push_back({context, last.weights, kv, last.compute, last.runtime, true});
  }
  return plans;
}

Panel memory_panel(const std::string& title, const std::vector<const Row*>& rows) {
  Panel panel{.title = title};
  const std::vector<Plan> plans = plans_of(rows);
  const auto add = [&](const char* part, auto value) {
    Series series{.name = part, .kind = "stack", .origin = Origin::kPredicted};
    double sum = 0;
    for (const Plan& plan : plans) {
      series.points.push_back({.x = plan.positions, .y = value(plan), .flag = plan.proportion});
      sum += value(plan);
    }
    if (sum > 0) panel.series.push_back(std::move(series));
  };
  add("weights", [](const Plan& p) { return p.weights; });
  add("KV cache", [](const Plan& p) { return p.kv; });
  add("compute", [](const Plan& p) { return p.compute; });
  add("program", [](const Plan& p) { return p.runtime; });
  Series measured{.name = "measured (Pss)"};
  for (const Row* row : rows)
    if (const auto total = measured_total(*row->record))
      measured.points.push_back({.x = static_cast<double>(positions(row->record->settings)),
                                 .y = static_cast<double>(*total),
                                 .label = row->label});
  if (!measured.points.empty()) panel.series.push_back(std::move(measured));
  return panel;
}

Plot memory_plot(const std::vector<Row>& rows) {
  Plot plot{.id = "memory-parts",
            .kind = "memory",
            .title = "Memory by part against context",
            .caption =
                "Bars: as planned by the engine; pale bars: the cache in proportion to the "
                "last plan, all else equal. Diamonds: measured.",
            .x_label = "positions in the cache",
            .y_label = "bytes",
            .one_panel = true};
  plot.empty = "No plan of memory: " +
               common_reason(rows, [](const Row& row) { return planned_total(*row.record); }) + ".";
  std::map<std::string, std::vector<const Row*>> groups;
  std::vector<std::string> order;
  for (const Row& row : rows) {
    if (!row.measured || !planned_total(*row.record)) continue;
    const measure::Settings& s = row.record->settings;
    std::string title = row.model;
    if (row.model.find(s.type) == std::string::npos) title += " · " + s.type;
    if (s.kv_type != "f16") title += " · kv " + s.kv_type;
    if (groups[title].empty()) order.push_back(title);
    groups[title].push_back(&row);
  }
  for (const std::string& title : order) plot.panels.push_back(memory_panel(title, groups[title]));
  return plot;
}

}  // namespace

Section memory_section(const std::vector<Row>& rows) {
  Section section{.id = "memory", .title = "Memory"};
  section.plots.push_back(memory_plot(rows));
  section.tables.push_back(memory_table(rows));
  return section;
}

}  // namespace edgelm::report
