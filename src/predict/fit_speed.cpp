// The fits of decode and prefill: logarithms of all constants, least squares on the logarithm of
// the time, with wide priors that decide only where a type is seen once or never.

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "predict/fit.h"
#include "predict/fit_group.h"
#include "predict/least_squares.h"
#include "predict/speed.h"
#include "stats/summary.h"

namespace edgelm::predict {
namespace {

constexpr double kKvBytes = 2;        // f16, the default of every engine in the data
constexpr double kResidualSd = 0.05;  // of a speed's logarithm
constexpr double kSharpness =
    5;  // Profile::norm: the least held-out error of 1 to 8 (docs/predict.md)
constexpr double kSharedSd = 0.15;  // how alike the power modes of one GPU are, per cycle
constexpr double kUnknown = 1e3;    // log residual of a row that cannot be predicted

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

std::vector<std::uint32_t> slots_of(const FitGroup& group) {
  std::set<std::uint32_t> slots;
  for (const FitRow& row : group.rows) slots.insert(group.gpu ? 0 : row.row->threads);
  return {slots.begin(), slots.end()};
}

// Types with at least a hundredth of some model's weights; "*" alone where types cannot be told
// apart (a GPU, few rows).
std::vector<std::string> types_of(const FitGroup& group) {
  std::set<std::string> types;
  if (!group.gpu && group.rows.size() > 12)
    for (const FitRow& row : group.rows)
      for (const Weights& w : row.model.weights)
        if (w.type != "F32" && w.share > 0 &&
            static_cast<double>(w.elements) > 0.01 * static_cast<double>(row.model.parameters()))
          types.insert(w.type);
  std::vector<std::string> result(types.begin(), types.end());
  result.emplace_back("*");
  return result;
}

using Getter = std::function<std::optional<double>(const FitRow&)>;    // measured tokens per second
using Seconds = std::function<double(const Profile&, const FitRow&)>;  // predicted, 0: cannot

// Minimises over the constants that `apply` writes into a profile.
std::vector<double> fit(const FitGroup& group, const Profile& start,
                        const std::vector<Parameter>& parameters,
                        const std::function<void(const std::vector<double>&, Profile&)>& apply,
                        const Getter& measured, const Seconds& seconds) {
  return least_squares(
      [&](const std::vector<double>& x) {
        Profile profile = start;
        apply(x, profile);
        std::vector<double> residuals;
        residuals.reserve(group.rows.size());
        for (const FitRow& row : group.rows) {
          const std::optional<double> tps = measured(row);
          if (!tps) continue;
          const double s = seconds(profile, row);
          residuals.push_back(s > 0 ? std::log(s * *tps) / kResidualSd : kUnknown);
        }
        return residuals;
      },
      parameters);
}

Parameter log_parameter(double value, double sd) {
  const double x = std::log(std::max(value, 1e-12));
  return {.start = x, .prior = x, .sd = sd};
}

// The geometric mean stands for types that were not seen.
double mean_of_others(const std::vector<double>& x, std::size_t first, std::size_t n_types) {
  if (n_types == 1) return x[first];
  double sum = 0;
  for (std::size_t i = 0; i + 1 < n_types; ++i) sum += x[first + i];
  return sum / static_cast<double>(n_types - 1);
}

double threads_or_one(std::uint32_t slot) { return std::max(1U, slot); }

}  // namespace

void fit_decode(const FitGroup& group, const GpuPrior* prior, Profile& profile) {
  const Getter measured = [](const FitRow& row) { return row.row->decode_tps; };
  const std::vector<std::uint32_t> slots = slots_of(group);
  const std::vector<std::string> types = types_of(group);
  std::vector<double> gigabytes;
  std::vector<double> gigaweights;
  bool far = false;
  for (const FitRow& row : group.rows) {
    if (!row.row->decode_tps) continue;
    gigabytes.push_back(row.model.bytes_per_token() * *row.row->decode_tps);
    gigaweights.push_back(row.model.active_parameters() * *row.row->decode_tps);
    far = far || positions_of(*row.row) > 512;
  }
  if (gigabytes.empty()) return;

  std::vector<Parameter> parameters;
  parameters.reserve(slots.size() + types.size() + 3);
  for (std::size_t i = 0; i < slots.size(); ++i)
    parameters.push_back(log_parameter(1.1 * median_of(gigabytes), group.gpu ? 0.6 : 0.3));
  for (std::size_t i = 0; i < types.size(); ++i)
    parameters.push_back(log_parameter(1.2 * median_of(gigaweights) / (group.gpu ? 1.0 : 2.0),
                                       group.gpu ? 0.5 : 0.7));
  // A GPU's overhead goes with its kernels, so with layers; a processor's is small.
  parameters.push_back(group.gpu ? log_parameter(1e-4, 0.7) : log_parameter(3e-4, 1.0));
  if (prior != nullptr) {
    const double hertz = group.gpu_mhz * 1e6;
    parameters[slots.size()] = log_parameter(prior->weights_per_cycle * hertz, kSharedSd);
    parameters.back() = log_parameter(prior->layer_overhead_cycles / hertz, kSharedSd);
  }
  parameters.push_back(log_parameter(1.5e9, far ? 1.0 : 1e-3));

  const auto apply = [&](const std::vector<double>& x, Profile& p) {
    p.gpu = group.gpu;
    p.norm = kSharpness;
    p.bandwidth.clear();
    for (std::size_t i = 0; i < slots.size(); ++i)
      p.bandwidth.push_back({slots[i], std::exp(x[i])});
    p.types.clear();
    p.types.reserve(types.size());
    for (std::size_t t = 0; t < types.size(); ++t) {
      TypeRate rate{.type = types[t]};
      const bool any = t + 1 == types.size();
      const double per_thread =
          std::exp(any ? mean_of_others(x, slots.size(), types.size()) : x[slots.size() + t]);
      for (const std::uint32_t slot : slots)
        rate.decode_weights_per_s.push_back(
            {slot, per_thread * (group.gpu ? 1 : threads_or_one(slot))});
      p.types.push_back(std::move(rate));
    }
    const double overhead = std::exp(x[slots.size() + types.size()]);
    (group.gpu ? p.layer_overhead_s : p.token_overhead_s) = overhead;
    p.decode_attention_macs_per_s = far ? std::exp(x.back()) : 0;
  };
  const auto seconds = [](const Profile& p, const FitRow& row) {
    const auto step = decode_time(p, row.model, row.row->threads, positions_of(*row.row), kKvBytes);
    return step ? step->seconds : 0;
  };
  apply(fit(group, profile, parameters, apply, measured, seconds), profile);
}

void fit_prefill(const FitGroup& group, Profile& profile) {
  const Getter measured = [](const FitRow& row) { return row.row->prefill_tps; };
  const std::vector<std::uint32_t> slots = slots_of(group);
  std::vector<std::string> types;
  types.reserve(profile.types.size());
  for (const TypeRate& rate : profile.types) types.push_back(rate.type);
  std::vector<double> macs;
  bool far = false;
  for (const FitRow& row : group.rows) {
    if (!row.row->prefill_tps) continue;
    macs.push_back(row.model.prefill_parameters() * *row.row->prefill_tps /
                   (group.gpu ? 1 : threads_or_one(row.row->threads)));
    far = far || prompt_of(*row.row) > 1024;
  }
  if (macs.empty()) return;

  std::vector<Parameter> parameters;
  parameters.reserve(types.size() + 3);
  for (std::size_t i = 0; i < types.size(); ++i)
    parameters.push_back(log_parameter(median_of(macs), 1.0));
  parameters.push_back(log_parameter(0.92, 0.1));                            // threads^x
  parameters.push_back(log_parameter(6e9, far && !group.gpu ? 1.0 : 1e-3));  // attention
  parameters.push_back(log_parameter(0.03, group.gpu ? 1.0 : 1e-3));         // a prompt's overhead

  const std::size_t n = types.size();
  const auto apply = [&](const std::vector<double>& x, Profile& p) {
    for (std::size_t t = 0; t < n; ++t) {
      const bool any = p.types[t].type == "*";
      const double per_thread = std::exp(any ? mean_of_others(x, 0, n) : x[t]);
      p.types[t].prefill_macs_per_s.clear();
      for (const std::uint32_t slot : slots)
        p.types[t].prefill_macs_per_s.push_back(
            {slot, per_thread * (group.gpu ? 1 : std::pow(threads_or_one(slot), std::exp(x[n])))});
    }
    p.prefill_attention_macs_per_s = far && !group.gpu ? std::exp(x[n + 1]) : 0;
    p.prefill_overhead_s = group.gpu ? std::exp(x[n + 2]) : 0;
  };
  const auto seconds = [](const Profile& p, const FitRow& row) {
    const double n_tokens = prompt_of(*row.row);
    const auto step = prefill_time(p, row.model, row.row->threads, n_tokens, 0);
    return step ? step->seconds / n_tokens : 0;
  };
  apply(fit(group, profile, parameters, apply, measured, seconds), profile);
}

void fit_power(const FitGroup& group, Profile& profile) {
  std::vector<std::vector<double>> rows;
  std::vector<double> ones;
  bool wall = false;
  for (const FitRow& row : group.rows) {
    if (!row.row->watts || !row.row->decode_tps) continue;
    const auto step =
        decode_time(profile, row.model, row.row->threads, positions_of(*row.row), kKvBytes);
    if (!step) continue;
    double terms[kPowerTerms];
    power_terms(*step, row.row->threads, terms);
    // A GPU has no threads; a processor's weights per second say what its busy threads say.
    if (group.gpu)
      terms[1] = terms[2] = terms[3] = 0;
    else
      terms[4] = 0;
    std::vector<double> scaled(std::begin(terms), std::end(terms));
    for (double& term : scaled) term /= *row.row->watts;
    rows.push_back(std::move(scaled));
    ones.push_back(1);
    wall = row.row->scope == "wall";
  }
  if (rows.size() < 3) return;
  const std::vector<double> c = non_negative_least_squares(rows, ones);
  profile.decode_power = PowerModel{.base = c[0],
                                    .per_thread = c[1],
                                    .per_busy_thread = c[2],
                                    .per_gigabyte = c[3],
                                    .per_gigaweight = c[4]};
  profile.watts_scope = wall ? device::Scope::kWall : device::Scope::kRail;
}

}  // namespace edgelm::predict
