// Speed: prefill, first token, decode, latency between tokens, load; and how it scales with
// threads.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/counted.h"

#include "report/figures.h"
#include "report/sections.h"

namespace edgelm::report {
namespace {

// What a reader must know before trusting a row.
std::string flags_of(const measure::Record& r) {
  std::vector<std::string> flags;
  if (r.state.throttled)
    flags.push_back("throttled" + (r.state.cause.empty() ? "" : " (" + r.state.cause + ")"));
  if (r.memory.paging) flags.emplace_back("paging: weights read from storage again");
  const bool drifts = (r.decode_tokens_per_s && r.decode_tokens_per_s->drifting) ||
                      (r.prefill_tokens_per_s && r.prefill_tokens_per_s->drifting);
  if (drifts) flags.emplace_back("drifting");
  if (!r.settled) flags.emplace_back("warm-up did not settle");
  const std::size_t outliers =
      (r.decode_tokens_per_s ? r.decode_tokens_per_s->outliers.size() : 0) +
      (r.prefill_tokens_per_s ? r.prefill_tokens_per_s->outliers.size() : 0);
  if (outliers > 0) flags.push_back(counted(outliers, "outlier"));
  if (r.other_load > 0.05)
    flags.push_back(fmt::format("{:.2f} processors busy with other programs", r.other_load));
  return fmt::format("{}", fmt::join(flags, "; "));
}

Table speed_table(const std::vector<Row>& rows) {
  const SettingColumns settings(rows);
  Table table{.id = "speed-table",
              .title = "Speed of every cell",
              .text = "Medians with the 95 % bootstrap interval of the median in brackets.",
              .empty = "No cell was measured.",
              .columns = settings.columns()};
  const std::vector<Column> figures = {
      {.title = "prefill", .unit = "tokens/s", .hint = "prompt tokens / time to their logits"},
      {.title = "TTFT",
       .unit = "ms",
       .hint = "prompt submitted to first token sampled, model loaded"},
      {.title = "decode", .unit = "tokens/s", .hint = "sampling not included"},
      {.title = "TPOT", .unit = "ms", .hint = "time per decoded token"},
      {.title = "ITL p50", .unit = "ms", .hint = "gap between two tokens"},
      {.title = "ITL p90", .unit = "ms"},
      {.title = "ITL p99", .unit = "ms"},
      {.title = "bandwidth used",
       .unit = "% of probe",
       .hint = "weights read by decode per second"},
      {.title = "cold load", .unit = "ms", .hint = "page cache dropped"},
      {.title = "warm load", .unit = "ms", .hint = "file in the page cache"},
      {.title = "flags", .numeric = false}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  for (const Row& row : rows) {
    if (!row.measured) continue;
    const measure::Record& r = *row.record;
    std::vector<Cell> cells = settings.cells(row);
    for (const auto* one :
         {&r.prefill_tokens_per_s, &r.ttft_ms, &r.decode_tokens_per_s, &r.tpot_ms})
      cells.push_back(series(*one));
    for (const auto* one : {&r.itl_p50_ms, &r.itl_p90_ms, &r.itl_p99_ms})
      cells.push_back(figure(*one, Origin::kMeasured));
    cells.push_back(
        figure(derived(row.bandwidth_share, [](double v) { return v * 100; }), Origin::kMeasured));
    for (const auto* one : {&r.cold_load_ms, &r.warm_load_ms})
      cells.push_back(figure(*one, Origin::kMeasured));
    cells.push_back(name(flags_of(r)));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Table not_measured_table(const std::vector<Row>& rows) {
  const SettingColumns settings(rows);
  Table table{.id = "not-measured",
              .title = "Cells without figures",
              .text = "What did not fit, ran out of memory or failed is a result too.",
              .columns = settings.columns()};
  table.columns.push_back({.title = "outcome", .numeric = false});
  table.columns.push_back({.title = "needed"});
  table.columns.push_back({.title = "reason", .numeric = false});
  for (const Row& row : rows) {
    if (row.measured) continue;
    std::vector<Cell> cells = settings.cells(row);
    const auto outcome = row.record->outcome;
    cells.push_back(name(outcome == measure::Outcome::kInfeasible    ? "does not fit"
                         : outcome == measure::Outcome::kOutOfMemory ? "out of memory"
                                                                     : "failed"));
    cells.push_back(size(row.record->needed_bytes, Origin::kPredicted));
    cells.push_back(name(row.record->reason));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

Point point_of(double x, const measure::Series& s, const std::string& label) {
  Point point{.x = x, .y = s.median, .label = label};
  if (s.samples.size() > 1) point.interval = {s.low, s.high};
  return point;
}

// Cells that differ in threads alone are one line. Where some lines have several points, those of
// one point are left to the table.
Panel thread_panel(const std::vector<const Row*>& rows, const std::string& title,
                   Known<measure::Series> measure::Record::*field) {
  std::map<std::string, std::vector<const Row*>> cells;
  std::vector<std::string> order;
  std::size_t longest = 0;
  for (const Row* row : rows) {
    if (!(row->record->*field)) continue;
    measure::Settings without = row->record->settings;
    without.threads = 0;
    const std::string key = cell_key(without);
    if (cells[key].empty()) order.push_back(key);
    cells[key].push_back(row);
    longest = std::max(longest, cells[key].size());
  }
  std::erase_if(order,
                [&](const std::string& key) { return longest > 1 && cells[key].size() == 1; });
  std::vector<const Row*> firsts;
  firsts.reserve(order.size());
  for (const std::string& key : order) firsts.push_back(cells[key].front());
  const std::vector<std::string> names = labels(firsts, /*threads=*/false);
  Panel panel{.title = title};
  for (std::size_t i = 0; i < order.size(); ++i) {
    Series line{.name = names[i]};
    for (const Row* row : cells[order[i]])
      line.points.push_back(point_of(row->record->settings.threads, *(row->record->*field), ""));
    std::sort(line.points.begin(), line.points.end(),
              [](const Point& a, const Point& b) { return a.x < b.x; });
    panel.series.push_back(std::move(line));
  }
  return panel;
}

Plot thread_plot(const std::vector<Row>& rows) {
  Plot plot{.id = "threads",
            .kind = "threads",
            .title = "Thread scaling",
            .caption =
                "Speed by number of threads, with 95 % intervals. Decode stops to gain when "
                "memory bandwidth is reached, prefill when cores are.",
            .x_label = "threads",
            .y_label = "tokens/s"};
  std::map<std::string, std::vector<const Row*>> devices;
  std::vector<std::string> order;
  for (const Row& row : rows) {
    if (!row.measured || row.record->settings.threads == 0) continue;
    auto& list = devices[row.record->passport.fingerprint];
    if (list.empty()) order.push_back(row.record->passport.fingerprint);
    list.push_back(&row);
  }
  for (const std::string& device : order) {
    const std::string name =
        order.size() > 1 ? ", " + device_name(devices[device].front()->record->passport) : "";
    for (Panel panel :
         {thread_panel(devices[device], "Decode" + name, &measure::Record::decode_tokens_per_s),
          thread_panel(devices[device], "Prefill" + name, &measure::Record::prefill_tokens_per_s)})
      if (!panel.series.empty()) plot.panels.push_back(std::move(panel));
  }
  plot.empty = "No cell with a known number of threads was measured.";
  bool several = false;
  for (const Panel& panel : plot.panels)
    for (const Series& line : panel.series) several = several || line.points.size() > 1;
  if (!several && !plot.panels.empty())
    plot.remarks.emplace_back("One thread count only: `edgelm bench -t 1,2,4` measures several.");
  return plot;
}

}  // namespace

Section speed_section(const std::vector<Row>& rows) {
  Section section{.id = "speed", .title = "Speed"};
  section.plots.push_back(thread_plot(rows));
  section.tables.push_back(speed_table(rows));
  Table others = not_measured_table(rows);
  if (!others.rows.empty()) section.tables.push_back(std::move(others));
  return section;
}

}  // namespace edgelm::report
