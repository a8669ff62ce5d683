// From a record to the figures of a row.

#include "apps/edgelm/bench_row.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/checked.h"

namespace edgelm::apps {
namespace {

Known<double> per_token(const Known<double>& joules, double tokens) {
  if (!joules) return joules;
  if (!(tokens > 0)) return not_available("no tokens in the window");
  return *joules / tokens;
}

}  // namespace

std::string BenchRow::test() const {
  const measure::Settings& s = record->settings;
  std::string name =
      prefill ? fmt::format("pp{}", s.prompt_tokens) : fmt::format("tg{}", s.decode_tokens);
  if (!prefill && s.n_sequences > 1) name += fmt::format(" x{}", s.n_sequences);
  if (s.context_tokens > 0) name += fmt::format(" @ d{}", s.context_tokens);
  return name;
}

std::vector<BenchRow> rows_of(const measure::Record& record) {
  std::vector<BenchRow> rows;
  if (record.settings.prompt_tokens > 0) rows.push_back({&record, true});
  if (record.settings.decode_tokens > 0) rows.push_back({&record, false});
  return rows;
}

std::vector<BenchRow> rows_of(const std::vector<measure::Record>& records) {
  std::vector<BenchRow> rows;
  rows.reserve(2 * records.size());
  for (const measure::Record& record : records)
    for (const BenchRow& row : rows_of(record)) rows.push_back(row);
  return rows;
}

RowFigures figures_of(const BenchRow& row) {
  const measure::Record& record = *row.record;
  const measure::Settings& s = record.settings;
  const Known<measure::Series>& rate =
      row.prefill ? record.prefill_tokens_per_s : record.decode_tokens_per_s;
  const measure::EnergyOfPhase& energy = row.prefill ? record.prefill : record.decode;
  RowFigures figures;
  if (row.prefill) {
    const std::uint32_t batch = std::max(1U, std::min(s.batch_tokens, s.prompt_tokens));
    figures.bytes_per_token = record.bytes_per_token *
                              static_cast<double>(ceil_div(s.prompt_tokens, batch)) /
                              s.prompt_tokens;
  } else {
    figures.bytes_per_token = record.bytes_per_token / std::max(1U, s.n_sequences);
  }
  if (record.outcome != measure::Outcome::kMeasured) {
    figures.why_no_rate = fmt::format("{}: {}", outcome_word(record.outcome), record.reason);
  } else if (!rate) {
    figures.why_no_rate = rate.error().reason;
  } else {
    figures.rate = &*rate;
    if (figures.bytes_per_token > 0) figures.bytes_per_s = figures.bytes_per_token * rate->median;
  }
  if (figures.bytes_per_s && record.read_bytes_per_s)
    figures.fraction = *figures.bytes_per_s / *record.read_bytes_per_s;
  figures.joules_per_token =
      per_token(energy.gross.map([](const device::Energy& e) { return e.joules; }), energy.tokens);
  figures.net_joules_per_token = per_token(energy.net_joules, energy.tokens);
  return figures;
}

}  // namespace edgelm::apps
