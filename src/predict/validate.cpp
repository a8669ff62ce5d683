// The error table, the cliff and the degraded rows; targets are in targets.cpp.

#include "predict/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/counted.h"
#include "predict/memory.h"
#include "predict/passports.h"
#include "predict/speed.h"
#include "predict/targets.h"

namespace edgelm::predict {
namespace {

std::string label(const ReferenceRow& row) {
  std::string text = fmt::format("{} {}", row.model, row.quant);
  if (row.threads > 0) text += ", " + counted(row.threads, "thread");
  return text;
}

void add_errors(const FitResult& fit, std::vector<ErrorLine>& out) {
  for (const Quantity quantity :
       {Quantity::kDecode, Quantity::kPrefill, Quantity::kWatts, Quantity::kJoulesPerToken}) {
    std::vector<double> errors;
    ErrorLine line{.device = fit.profile.device,
                   .engine = fit.profile.engine,
                   .power_mode = fit.profile.power_mode,
                   .quantity = quantity,
                   .worst_row = {}};
    for (const HeldOut& held : fit.held_out) {
      if (held.quantity != quantity) continue;
      errors.push_back(std::abs(held.relative_error()));
      if (errors.size() > 1 && std::abs(held.relative_error()) <= std::abs(line.worst)) continue;
      line.worst = held.relative_error();
      line.worst_row = label(*held.row);
    }
    if (errors.empty()) continue;
    line.n = errors.size();
    line.median = median_of(std::move(errors));
    out.push_back(std::move(line));
  }
}

// Rows of llama-bench on the board of 8 GB: 512 + 128 positions in f16.
Status add_cliff(const std::vector<ReferenceRow>& rows, std::vector<CliffRow>& out) {
  EDGELM_TRY_ASSIGN(const device::Passport passport, find_passport("Raspberry Pi 5 8 GB"));
  const Known<std::uint64_t> usable = usable_memory(passport);
  Profile profile;
  profile.engine = "llama.cpp";
  for (const ReferenceRow& row : rows) {
    if (row.device != "Raspberry Pi 5 8 GB" || engine_of(row) != "llama.cpp 2024") continue;
    EDGELM_TRY_ASSIGN(const Model model, model_of_row(row));
    const MemoryPrediction memory = predict_memory(model, profile, usable, 640, 2);
    out.push_back({.row = &row,
                   .touched_gb = static_cast<double>(memory.touched_bytes) / 1e9,
                   .usable_gb = static_cast<double>(usable.value_or(0)) / 1e9,
                   .fits = memory.fit == Fit::kFits,
                   .ran_full = row.state.empty()});
  }
  return {};
}

void add_degraded(const std::vector<ReferenceRow>& rows, const std::vector<FitResult>& fits,
                  std::vector<DegradedRow>& out) {
  for (const ReferenceRow& row : rows) {
    if (row.state != "throttled" && row.state != "paging" && row.state != "evicting") continue;
    if (!row.decode_tps) continue;
    const auto model = model_of_row(row);
    if (!model) continue;
    for (const FitResult& fit : fits) {
      if (fit.profile.device != board_of(row.device) || fit.profile.engine != engine_of(row))
        continue;
      const auto step =
          decode_time(fit.profile, *model, std::max(1U, row.threads), positions_of(row), 2);
      if (step) out.push_back({&row, 1 / step->seconds});
      break;
    }
  }
}

}  // namespace

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

Result<Validation> validate(const std::vector<ReferenceRow>& rows) {
  Validation validation;
  const std::vector<FitResult> fits = fit_all(rows);
  for (const FitResult& fit : fits) add_errors(fit, validation.errors);
  EDGELM_TRY(add_cliff(rows, validation.cliff));
  add_degraded(rows, fits, validation.degraded);
  EDGELM_TRY_ASSIGN(validation.targets, targets_of(rows, fits, validation.cliff));
  return validation;
}

std::string validation_text(const Validation& v) {
  std::string text =
      "Errors on models that the fit had not seen (each held out once), predicted against stated "
      "measurements.\n\n"
      "| device | engine | mode | figure | rows | median | worst | of |\n"
      "|---|---|---|---|---:|---:|---:|---|\n";
  for (const ErrorLine& e : v.errors)
    text += fmt::format("| {} | {} | {} | {} | {} | {:.1f} % | {:+.0f} % | {} |\n", e.device,
                        e.engine, e.power_mode.empty() ? "-" : e.power_mode,
                        quantity_name(e.quantity), e.n, e.median * 100, e.worst * 100, e.worst_row);
  text +=
      "\nThe memory cliff of the Raspberry Pi 5 8 GB (llama-bench, 640 positions):\n\n"
      "| model | touched GB | usable GB | predicted | measured |\n|---|---:|---:|---|---|\n";
  for (const CliffRow& c : v.cliff)
    text += fmt::format("| {} {} | {:.2f} | {:.2f} | {} | {}{} |\n", c.row->model, c.row->quant,
                        c.touched_gb, c.usable_gb, c.fits ? "fits" : "paging",
                        c.ran_full ? "full speed" : c.row->state,
                        c.fits == c.ran_full ? "" : " (WRONG)");
  text +=
      "\nDegraded states, left out of every fit; predicted is what the device does in good "
      "state:\n\n| device | model | state | measured tok/s | predicted tok/s |\n"
      "|---|---|---|---:|---:|\n";
  for (const DegradedRow& d : v.degraded)
    text += fmt::format("| {} | {} | {} | {:.3g} | {:.3g} |\n", d.row->device, label(*d.row),
                        d.row->state, *d.row->decode_tps, d.predicted_tps);
  text += "\n| target | wanted | got | |\n|---|---|---|---|\n";
  for (const Target& t : v.targets)
    text += fmt::format("| {} | {} | {} | {} |\n", t.name, t.wanted, t.got,
                        t.holds ? "holds" : "MISSED");
  return text;
}

}  // namespace edgelm::predict
