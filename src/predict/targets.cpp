// Each target from held-out predictions alone.

#include "predict/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "econ/cost.h"
#include "predict/csv.h"
#include "predict/embedded.h"
#include "predict/memory.h"
#include "predict/reference_model.h"

namespace edgelm::predict {
namespace {

constexpr std::string_view kPi = "Raspberry Pi 5";
constexpr std::string_view kOrin = "Jetson Orin Nano";

const FitResult* find_fit(const std::vector<FitResult>& fits, std::string_view device,
                          std::string_view engine, std::string_view mode) {
  for (const FitResult& fit : fits)
    if (fit.profile.device == device && fit.profile.engine == engine &&
        fit.profile.power_mode == mode)
      return &fit;
  return nullptr;
}

bool four_bits_or_wider(const std::string& quant) {
  return !quant.starts_with("Q2") && !quant.starts_with("Q3") && !quant.starts_with("Q1");
}

// The held-out decode speeds of a thread sweep, by model and type.
using Sweep = std::map<std::uint32_t, const HeldOut*>;
std::map<std::string, Sweep> sweeps_of(const FitResult& fit) {
  std::map<std::string, Sweep> sweeps;
  for (const HeldOut& held : fit.held_out)
    if (held.quantity == Quantity::kDecode && four_bits_or_wider(held.row->quant))
      sweeps[held.row->source + held.row->model + held.row->quant][held.row->threads] = &held;
  std::erase_if(sweeps, [](const auto& entry) { return entry.second.size() < 3; });
  return sweeps;
}

const HeldOut* best_measured(const Sweep& sweep) {
  return std::max_element(
             sweep.begin(), sweep.end(),
             [](const auto& a, const auto& b) { return a.second->measured < b.second->measured; })
      ->second;
}
const HeldOut* best_predicted(const Sweep& sweep) {
  return std::max_element(
             sweep.begin(), sweep.end(),
             [](const auto& a, const auto& b) { return a.second->predicted < b.second->predicted; })
      ->second;
}

void add_pi(const FitResult& fit, std::vector<Target>& out) {
  const std::map<std::string, Sweep> sweeps = sweeps_of(fit);
  std::vector<double> errors;
  std::size_t peaks = 0;
  std::size_t right = 0;
  for (const auto& [name, sweep] : sweeps) {
    const HeldOut* best = best_measured(sweep);
    errors.push_back(std::abs(best->relative_error()));
    if (best->row->threads < 2 || best->row->threads > 3) continue;  // 8 and 16 bits peak at one
    ++peaks;
    const std::uint32_t predicted = best_predicted(sweep)->row->threads;
    if (predicted == 2 || predicted == 3) ++right;
  }
  const double median = median_of(errors);
  out.push_back({.name = "Raspberry Pi 5 decode, 4 bits and wider, best thread count",
                 .wanted = "median within 10 %",
                 .got = fmt::format("{:.1f} % over {} sweeps", median * 100, errors.size()),
                 .holds = !errors.empty() && median <= 0.10});
  out.push_back({.name = "Raspberry Pi 5: decode peaks at 2 to 3 threads where it did",
                 .wanted = fmt::format("{} of {}", peaks, peaks),
                 .got = fmt::format("{} of {}", right, peaks),
                 .holds = peaks > 0 && right == peaks});
}

void add_orin(const std::vector<FitResult>& fits, std::vector<Target>& out) {
  std::map<std::string, std::map<std::string, double>> measured;  // model, mode: tokens per joule
  std::map<std::string, std::map<std::string, double>> predicted;
  double worst = 0;
  std::string got;
  for (const char* mode : {"7W", "15W", "25W", "MAXN"}) {
    const FitResult* fit = find_fit(fits, kOrin, "llama.cpp", mode);
    if (fit == nullptr) continue;
    std::vector<double> errors;
    for (const HeldOut& held : fit->held_out) {
      if (held.quantity == Quantity::kDecode) errors.push_back(std::abs(held.relative_error()));
      if (held.quantity != Quantity::kJoulesPerToken) continue;
      const std::string model = held.row->model;
      measured[model][mode] = 1 / held.measured;
      predicted[model][mode] = 1 / held.predicted;
    }
    const double median = median_of(errors);
    worst = std::max(worst, median);
    got += fmt::format("{}{} {:.1f} %", got.empty() ? "" : ", ", mode, median * 100);
  }
  out.push_back({.name = "Jetson Orin Nano decode, every power mode",
                 .wanted = "median within 20 %",
                 .got = got,
                 .holds = !got.empty() && worst <= 0.20});
  std::size_t right = 0;
  for (const auto& [model, modes] : predicted) {
    const auto best =
        std::max_element(modes.begin(), modes.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (best->first == "25W") ++right;
  }
  out.push_back({.name = "Jetson Orin Nano: 25 W gives the most tokens per joule",
                 .wanted = fmt::format("{} of {} models", predicted.size(), predicted.size()),
                 .got = fmt::format("{} of {} models", right, predicted.size()),
                 .holds = !predicted.empty() && right == predicted.size()});
}

void add_sizes(const std::vector<ReferenceRow>& rows, std::vector<Target>& out) {
  std::map<std::string, double> errors;  // each file once
  for (const ReferenceRow& row : rows) {
    if (!row.file_mb) continue;
    const auto model = model_of_row(row);
    if (!model || model->n_layers == 0) continue;
    errors[row.model + row.quant + fmt::format("{}", *row.file_mb)] =
        std::abs(static_cast<double>(model->file_bytes) / 1e6 / *row.file_mb - 1);
  }
  std::vector<double> values;
  values.reserve(errors.size());
  for (const auto& [name, error] : errors) values.push_back(error);
  const double worst = values.empty() ? 1 : *std::max_element(values.begin(), values.end());
  out.push_back({.name = "memory: weights of published files",
                 .wanted = "each within 10 %",
                 .got = fmt::format("median {:.1f} %, worst {:.1f} % of {} files",
                                    median_of(values) * 100, worst * 100, values.size()),
                 .holds = worst <= 0.10});
}

// Growth with the context: what the free memory loses per token between the shortest and the
// longest context that was measured.
Status add_growth(std::vector<Target>& out) {
  EDGELM_TRY_ASSIGN(const CsvTable table,
                    CsvTable::parse(embedded_memory_csv(), "data/reference/memory.csv"));
  struct Range {
    double first = 0, last = 0, free_first = 0, free_last = 0;
  };
  std::map<std::string, Range> ranges;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    EDGELM_TRY_ASSIGN(const std::string model, table.text(i, "model"));
    EDGELM_TRY_ASSIGN(const std::string quant, table.text(i, "quant"));
    EDGELM_TRY_ASSIGN(const auto context, table.number(i, "context"));
    EDGELM_TRY_ASSIGN(const auto free, table.number(i, "free_mb"));
    if (!context || !free) continue;
    Range& range = ranges[fmt::format("{}:{}", model, quant)];
    if (range.first == 0) range = {*context, *context, *free, *free};
    range.last = *context;
    range.free_last = *free;
  }
  Profile profile;
  profile.engine = "llama.cpp";
  std::vector<double> errors;
  std::string got;
  for (const auto& [name, range] : ranges) {
    if (range.last <= range.first) continue;
    EDGELM_TRY_ASSIGN(const Model model, reference_model(name));
    const auto bytes = [&](double context) {
      const auto n = static_cast<std::uint64_t>(context);
      return static_cast<double>(model.kv_bytes(n, 2) + compute_bytes(model, profile, n));
    };
    const double tokens = range.last - range.first;
    const double predicted = (bytes(range.last) - bytes(range.first)) / tokens;
    const double measured = (range.free_first - range.free_last) * 1e6 / tokens;
    errors.push_back(std::abs(predicted / measured - 1));
    got += fmt::format("{}{} {:.1f} for {:.1f} kB", got.empty() ? "" : "; ", name, predicted / 1e3,
                       measured / 1e3);
  }
  const double median = median_of(errors);
  out.push_back({.name = "memory: growth per token of context",
                 .wanted = "median within 10 %",
                 .got = fmt::format("{:.1f} % ({})", median * 100, got),
                 .holds = !errors.empty() && median <= 0.10});
  return {};
}

void add_cost(std::vector<Target>& out) {
  const econ::CloudModel* gpt4 = econ::default_prices().find_cloud("gpt-4");
  const std::string agx = fmt::format("{:.4f}", econ::energy_cost(590, 0.25) * 100);
  const std::string nano = fmt::format("{:.4f}", econ::energy_cost(245, 0.25) * 100);
  const std::string cloud =
      gpt4 == nullptr ? "?" : fmt::format("{:.2f}", econ::cloud_cost(*gpt4, 100, 225) * 100);
  out.push_back({.name = "cost per response, cents: 590 J, 245 J, GPT-4 with 100 + 225 tokens",
                 .wanted = "0.0041, 0.0017, 1.65",
                 .got = fmt::format("{}, {}, {}", agx, nano, cloud),
                 .holds = agx == "0.0041" && nano == "0.0017" && cloud == "1.65"});
}

}  // namespace

Result<std::vector<Target>> targets_of(const std::vector<ReferenceRow>& rows,
                                       const std::vector<FitResult>& fits,
                                       const std::vector<CliffRow>& cliff) {
  std::vector<Target> out;
  if (const FitResult* pi = find_fit(fits, kPi, "llama.cpp", "")) add_pi(*pi, out);
  add_orin(fits, out);
  add_sizes(rows, out);
  EDGELM_TRY(add_growth(out));
  const auto right = std::count_if(cliff.begin(), cliff.end(),
                                   [](const CliffRow& c) { return c.fits == c.ran_full; });
  out.push_back({.name = "Raspberry Pi 5 8 GB: the memory cliff on the right side",
                 .wanted = fmt::format("{} of {} rows", cliff.size(), cliff.size()),
                 .got = fmt::format("{} of {} rows", right, cliff.size()),
                 .holds = !cliff.empty() && static_cast<std::size_t>(right) == cliff.size()});
  add_cost(out);
  return out;
}

}  // namespace edgelm::predict
