// Pairing and judging. Blocks: where both sides hold several records of one cell, as repeated runs
// in alternation leave them, the k-th of each form a pair; otherwise samples are independent.

#include "report/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "report/compare_key.h"
#include "report/figures.h"
#include "report/rows.h"
#include "stats/inference.h"
#include "stats/summary.h"

namespace edgelm::report {
namespace {

using measure::Record;
using Cells = std::map<std::string, std::vector<const Record*>>;

constexpr std::size_t kFewestBlocks = 6;  // with five, no sign test can reach 5 %

struct Quantity {
  const char* name;
  const char* unit;
  Known<measure::Series> Record::*series;
  bool higher_is_better;
};
constexpr Quantity kQuantities[] = {{"prefill", "tokens/s", &Record::prefill_tokens_per_s, true},
                                    {"decode", "tokens/s", &Record::decode_tokens_per_s, true},
                                    {"TTFT", "ms", &Record::ttft_ms, false}};

// Figures of which a record has one, without samples.
struct Figure {
  const char* name;
  const char* unit;
  Known<double> (*value)(const Record&);
};
const std::vector<Figure>& figures() {
  static const std::vector<Figure> kAll = {
      {"peak memory", "bytes",
       [](const Record& r) {
         return derived(r.memory.peak_rss, [](std::uint64_t b) { return static_cast<double>(b); });
       }},
      {"warm load", "ms", [](const Record& r) { return r.warm_load_ms; }},
      {"decode energy", "J/token", [](const Record& r) {
         return derived(r.decode.gross, [&](const device::Energy& e) {
           return r.decode.tokens > 0 ? e.joules / r.decode.tokens : std::nan("");
         });
       }}};
  return kAll;
}

bool measured(const Record& record) { return record.outcome == measure::Outcome::kMeasured; }

std::vector<double> pooled(const std::vector<const Record*>& records, const Quantity& q) {
  std::vector<double> samples;
  for (const Record* record : records)
    if (const auto& s = record->*q.series; measured(*record) && s)
      samples.insert(samples.end(), s->samples.begin(), s->samples.end());
  return samples;
}

std::vector<double> medians(const std::vector<const Record*>& records, const Quantity& q) {
  std::vector<double> values;
  for (const Record* record : records)
    if (const auto& s = record->*q.series; measured(*record) && s) values.push_back(s->median);
  return values;
}

class Comparer {
 public:
  Comparer(const CompareOptions& options, Comparison& out) : options_(options), out_(out) {}

  void cell(const std::string& label, const std::vector<const Record*>& before,
            const std::vector<const Record*>& after) {
    if (!outcomes(label, before, after)) return;
    for (const Quantity& quantity : kQuantities) samples(label, quantity, before, after);
    for (const Figure& one : figures()) figure(label, one, *before.back(), *after.back());
    remarks(label, *before.back(), *after.back());
  }

  // Scores of the same items: the paired difference, as a ratio of the means.
  void scores(const std::string& label, const quality::Record& before,
              const quality::Record& after) {
    if (!before.value || !after.value || !(std::fabs(*before.value) > 0)) return;
    const bool higher = before.metric.find("perplexity") == std::string::npos &&
                        before.metric.find("divergence") == std::string::npos;
    Difference d{.cell = label,
                 .quantity = before.metric,
                 .before = *before.value,
                 .after = *after.value,
                 .n_before = before.n,
                 .n_after = after.n,
                 .higher_is_better = higher,
                 .method = "scores alone: the items are not the same"};
    d.ratio.ratio = d.after / d.before;
    std::map<std::string, double> items;
    for (const quality::Item& item : before.items) items[item.id] = item.value;
    std::vector<double> early;
    std::vector<double> late;
    for (const quality::Item& item : after.items)
      if (const auto at = items.find(item.id); at != items.end()) {
        early.push_back(at->second);
        late.push_back(item.value);
      }
    // Items of perplexity are log-likelihoods: their difference is not a ratio of scores.
    if (higher && early.size() == before.items.size() && early.size() == after.items.size() &&
        early.size() >= 2) {
      const stats::PairedDifference p = stats::paired_difference(late, early);
      d.ratio = {1 + p.mean / d.before, 1 + p.low / d.before, 1 + p.high / d.before, p.p_value};
      d.tested = true;
      d.method = fmt::format("{} items, paired difference", p.n);
    }
    out_.differences.push_back(std::move(d));
  }

  // Once all are there.
  void judge() {
    std::vector<double> p_values;
    for (const Difference& d : out_.differences)
      if (d.tested) p_values.push_back(d.ratio.p_value);
    const std::vector<double> adjusted = stats::holm(p_values);
    std::size_t next = 0;
    for (Difference& d : out_.differences) {
      if (d.tested) d.adjusted_p = adjusted[next++];
      // A figure without samples decides nothing: it is shown.
      d.verdict = d.tested
                      ? stats::judge(d.ratio, d.adjusted_p, options_.threshold, d.higher_is_better)
                      : stats::Verdict::kUndecided;
      out_.regression = out_.regression || d.verdict == stats::Verdict::kWorse;
    }
  }

 private:
  // True when both sides have figures. What was measured before and fails now is a regression.
  bool outcomes(const std::string& label, const std::vector<const Record*>& before,
                const std::vector<const Record*>& after) {
    const Record& early = *before.back();
    const Record& late = *after.back();
    if (measured(early) && measured(late)) return true;
    if (measured(early)) {
      out_.unpaired.push_back(
          fmt::format("{}: measured before, not any more: {}", label, late.reason));
      out_.regression = true;
    } else {
      out_.unpaired.push_back(
          fmt::format("{}: {}: {}", label,
                      measured(late) ? "measured now, but not before" : "measured on neither side",
                      early.reason));
    }
    return false;
  }

  void samples(const std::string& label, const Quantity& q,
               const std::vector<const Record*>& before, const std::vector<const Record*>& after) {
    const std::vector<double> early = pooled(before, q);
    const std::vector<double> late = pooled(after, q);
    if (early.empty() || late.empty()) return;
    Difference d{.cell = label,
                 .quantity = q.name,
                 .unit = q.unit,
                 .before = stats::median(early),
                 .after = stats::median(late),
                 .n_before = early.size(),
                 .n_after = late.size(),
                 .higher_is_better = q.higher_is_better};
    const std::vector<double> early_blocks = medians(before, q);
    const std::vector<double> late_blocks = medians(after, q);
    if (early_blocks.size() == late_blocks.size() && early_blocks.size() >= kFewestBlocks) {
      d.ratio = stats::paired_ratio(early_blocks, late_blocks);
      d.method = fmt::format("{} pairs, sign test", early_blocks.size());
    } else {
      d.ratio = stats::independent_ratio(early, late);
      d.method = fmt::format("{} + {} samples, Mann-Whitney", early.size(), late.size());
    }
    d.tested = std::isfinite(d.ratio.low) && std::isfinite(d.ratio.high);
    if (!d.tested) {
      d.ratio = {.ratio = d.after / d.before};
      d.method = "too few samples";
    }
    out_.differences.push_back(std::move(d));
  }

  void figure(const std::string& label, const Figure& one, const Record& before,
              const Record& after) {
    const Known<double> early = one.value(before);
    const Known<double> late = one.value(after);
    if (!early || !late || !(*early > 0) || !(*late > 0)) return;
    const bool energy = std::string_view(one.name) == "decode energy";
    if (energy && before.sensor.scope != after.sensor.scope) {
      out_.notes.push_back(fmt::format(
          "{}: energy is of different scopes ({}, {}) and not compared", label,
          device::scope_name(before.sensor.scope), device::scope_name(after.sensor.scope)));
      return;
    }
    out_.differences.push_back({.cell = label,
                                .quantity = one.name,
                                .unit = one.unit,
                                .before = *early,
                                .after = *late,
                                .n_before = 1,
                                .n_after = 1,
                                .ratio = {.ratio = *late / *early},
                                .higher_is_better = false,
                                .method = "single figures, not tested"});
  }

  void remarks(const std::string& label, const Record& before, const Record& after) {
    const auto differs = [&](const char* what, const std::string& early, const std::string& late) {
      if (early != late)
        out_.notes.push_back(fmt::format("{}: {} {} before, {} after", label, what,
                                         early.empty() ? "none" : early,
                                         late.empty() ? "none" : late));
    };
    differs("engine", before.settings.engine, after.settings.engine);
    differs("kernels", before.settings.isa, after.settings.isa);
    differs("model's hash", before.settings.model_hash, after.settings.model_hash);
    for (const auto& [record, when] : {std::pair(&before, "before"), std::pair(&after, "after")})
      if (record->state.throttled)
        out_.notes.push_back(fmt::format("{}: the device throttled {}", label, when));
  }

  const CompareOptions& options_;
  Comparison& out_;
};

Cells cells_of(const Records& records, const CompareOptions& options) {
  Cells cells;
  for (const Record& record : records.measured)
    cells[pairing_key(record, options.across)].push_back(&record);
  return cells;
}

void compare_cells(const Cells& early, const Cells& late, Comparer& comparer, Comparison& out) {
  for (const auto& [key, records] : early) {
    const auto at = late.find(key);
    if (at == late.end()) {
      out.unpaired.push_back(
          fmt::format("{}: only in {}", pairing_label(*records.back()), out.before));
    } else {
      comparer.cell(pairing_label(*records.back()), records, at->second);
    }
  }
  for (const auto& [key, records] : late)
    if (!early.contains(key))
      out.unpaired.push_back(
          fmt::format("{}: only in {}", pairing_label(*records.back()), out.after));
}

void compare_scores(const Records& early, const Records& late, const CompareOptions& options,
                    Comparer& comparer, Comparison& out) {
  std::map<std::string, const quality::Record*> before;
  std::map<std::string, const quality::Record*> after;
  for (const quality::Record& r : early.quality) before[pairing_key(r, options.across)] = &r;
  for (const quality::Record& r : late.quality) after[pairing_key(r, options.across)] = &r;
  for (const auto& [key, record] : before) {
    const std::string label = short_model(record->model) + " " + record->task;
    const auto at = after.find(key);
    if (at == after.end()) {
      out.unpaired.push_back(fmt::format("{}: only in {}", label, out.before));
    } else {
      comparer.scores(label, *record, *at->second);
    }
  }
  for (const auto& [key, record] : after)
    if (!before.contains(key))
      out.unpaired.push_back(
          fmt::format("{} {}: only in {}", short_model(record->model), record->task, out.after));
}

}  // namespace

Result<Comparison> compare(const Loaded& before, const Loaded& after,
                           const CompareOptions& options) {
  Comparison out{.before = before.name,
                 .after = after.name,
                 .differences = {},
                 .unpaired = {},
                 .left_out = before.records.unreadable,
                 .notes = {}};
  out.left_out.insert(out.left_out.end(), after.records.unreadable.begin(),
                      after.records.unreadable.end());
  Comparer comparer(options, out);
  compare_cells(cells_of(before.records, options), cells_of(after.records, options), comparer, out);
  compare_scores(before.records, after.records, options, comparer, out);
  if (out.differences.empty() && !out.regression) {
    std::string has;
    for (std::size_t i = 0; i < out.unpaired.size() && i < 4; ++i) has += "; " + out.unpaired[i];
    return fail(ErrorCode::kNotFound,
                "nothing in {} and {} can be paired: device and settings must be equal, but for "
                "those named by --across{}",
                before.name, after.name, has);
  }
  comparer.judge();
  return out;
}

Table comparison_table(const Comparison& comparison) {
  Table table{.id = "comparison",
              .title = comparison.before + " and " + comparison.after,
              .columns = {{.title = "cell", .numeric = false},
                          {.title = "quantity", .numeric = false},
                          {.title = "before", .origin = Origin::kMeasured},
                          {.title = "after", .origin = Origin::kMeasured},
                          {.title = "ratio", .unit = "[95 %]", .origin = Origin::kMeasured},
                          {.title = "p", .unit = "Holm"},
                          {.title = "verdict", .numeric = false},
                          {.title = "by", .numeric = false}}};
  for (const Difference& d : comparison.differences) {
    const bool sized = d.unit == "bytes";
    const auto value = [&](double v) {
      Cell cell = sized
                      ? size(Known<std::uint64_t>(static_cast<std::uint64_t>(v)), Origin::kMeasured)
                      : report::figure(v, Origin::kMeasured);
      if (!sized && !d.unit.empty() && cell.value) cell.text += " " + d.unit;
      return cell;
    };
    Cell ratio = report::figure(d.ratio.ratio, Origin::kMeasured);
    ratio.text = fmt::format("{:.3f}", d.ratio.ratio);
    if (d.tested) ratio.text += fmt::format(" [{:.3f}, {:.3f}]", d.ratio.low, d.ratio.high);
    table.rows.push_back(
        {name(d.cell), name(d.quantity), value(d.before), value(d.after), std::move(ratio),
         name(d.tested ? fmt::format("{:.2g}", d.adjusted_p) : ""),
         name(d.tested ? std::string(stats::verdict_name(d.verdict)) : "not tested"),
         name(d.method)});
  }
  return table;
}

api::Json to_json(const Comparison& comparison) {
  api::Json json = {{"format", "edgelm.comparison/1"}, {"before", comparison.before},
                    {"after", comparison.after},       {"regression", comparison.regression},
                    {"unpaired", comparison.unpaired}, {"left_out", comparison.left_out},
                    {"notes", comparison.notes}};
  json["differences"] = api::Json::array();
  for (const Difference& d : comparison.differences) {
    api::Json one = {{"cell", d.cell},       {"quantity", d.quantity}, {"unit", d.unit},
                     {"before", d.before},   {"after", d.after},       {"n_before", d.n_before},
                     {"n_after", d.n_after}, {"ratio", d.ratio.ratio}, {"method", d.method}};
    if (d.tested) {
      one["low"] = d.ratio.low;
      one["high"] = d.ratio.high;
      one["p"] = d.ratio.p_value;
      one["p_holm"] = d.adjusted_p;
      one["verdict"] = std::string(stats::verdict_name(d.verdict));
    }
    json["differences"].push_back(std::move(one));
  }
  return json;
}

}  // namespace edgelm::report
