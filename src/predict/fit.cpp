// Groups of rows, the fit of each, and the same once more for every model without it.

#include "predict/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "predict/fit_group.h"
#include "predict/speed.h"
#include "predict/targets.h"

namespace edgelm::predict {
namespace {

constexpr double kKvBytes = 2;
constexpr double kIntervalQuantile = 0.9;  // of held-out errors: the half-width of intervals
constexpr double kLeastError = 0.05;

bool fit_for_decode(const ReferenceRow& row) { return row.state.empty() && row.decode_tps; }
bool fit_for_prefill(const ReferenceRow& row) {
  return row.prefill_tps && (row.state.empty() || row.state == "phase");
}

std::vector<FitGroup> groups_of(const std::vector<ReferenceRow>& rows) {
  std::vector<FitGroup> groups;
  for (const ReferenceRow& row : rows) {
    if (!fit_for_decode(row) && !fit_for_prefill(row)) continue;
    const std::string board = board_of(row.device);
    const std::string engine = engine_of(row);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const FitGroup& g) {
      return g.device == board && g.engine == engine && g.power_mode == row.power_mode;
    });
    auto model = model_of_row(row);
    if (!model) continue;  // shown by the validation as a row without a shape
    if (group == groups.end()) {
      groups.push_back({.device = board,
                        .engine = engine,
                        .version = row.version,
                        .power_mode = row.power_mode,
                        .gpu = board.starts_with("Jetson"),
                        .gpu_mhz = row.gpu_mhz.value_or(0),
                        .rows = {}});
      group = groups.end() - 1;
    }
    group->rows.push_back({&row, std::move(*model)});
  }
  return groups;
}

FitGroup select(const FitGroup& group, bool (*wanted)(const ReferenceRow&)) {
  FitGroup result = group;
  std::erase_if(result.rows, [&](const FitRow& row) { return !wanted(*row.row); });
  return result;
}

Profile fit_group(const FitGroup& group, const GpuPrior* prior) {
  Profile profile;
  profile.device = group.device;
  profile.engine = group.engine;
  profile.version = group.version;
  profile.power_mode = group.power_mode;
  profile.origin = Origin::kStated;
  const FitGroup decode = select(group, fit_for_decode);
  fit_decode(decode, prior, profile);
  fit_prefill(select(group, fit_for_prefill), profile);
  fit_power(decode, profile);
  return profile;
}

// Each power mode alone, then the median of what a cycle of its GPU does.
std::optional<GpuPrior> shared_by_modes(const std::vector<FitGroup>& groups, const FitGroup& of,
                                        const std::string& without) {
  std::vector<double> weights;
  std::vector<double> overheads;
  for (const FitGroup& group : groups) {
    if (group.device != of.device || group.engine != of.engine || group.gpu_mhz <= 0) continue;
    const Profile profile = fit_group(group.without(without), nullptr);
    if (profile.types.empty()) continue;
    const double hertz = group.gpu_mhz * 1e6;
    weights.push_back(at_threads(profile.types.back().decode_weights_per_s, 0) / hertz);
    overheads.push_back(profile.layer_overhead_s * hertz);
  }
  if (of.gpu_mhz <= 0 || weights.size() < 2) return std::nullopt;
  return GpuPrior{median_of(std::move(weights)), median_of(std::move(overheads))};
}

// Figures of the rows of one model by a profile that has not seen it.
void hold_out(const FitGroup& group, const std::string& model, const Profile& profile,
              std::vector<HeldOut>& out) {
  for (const FitRow& row : group.rows) {
    if (row.row->model != model) continue;
    const ReferenceRow& r = *row.row;
    if (fit_for_decode(r)) {
      const auto step = decode_time(profile, row.model, r.threads, positions_of(r), kKvBytes);
      if (step) {
        out.push_back({&r, Quantity::kDecode, *r.decode_tps, 1 / step->seconds});
        if (r.watts && profile.decode_power) {
          const double watts = watts_of(*profile.decode_power, *step, r.threads);
          out.push_back({&r, Quantity::kWatts, *r.watts, watts});
          if (r.mj_per_token)
            out.push_back(
                {&r, Quantity::kJoulesPerToken, *r.mj_per_token / 1000, watts * step->seconds});
        }
      }
    }
    if (fit_for_prefill(r)) {
      const double n = prompt_of(r);
      const auto step = prefill_time(profile, row.model, r.threads, n, 0);
      if (step) out.push_back({&r, Quantity::kPrefill, *r.prefill_tps, n / step->seconds});
    }
  }
}

// What 90 of 100 held-out figures stay within.
double interval_of(const std::vector<HeldOut>& held, Quantity quantity, double fallback) {
  std::vector<double> errors;
  for (const HeldOut& one : held)
    if (one.quantity == quantity) errors.push_back(std::abs(one.relative_error()));
  if (errors.size() < 3) return fallback;
  std::sort(errors.begin(), errors.end());
  const auto index =
      static_cast<std::size_t>(std::ceil(kIntervalQuantile * static_cast<double>(errors.size()))) -
      1;
  return std::max(kLeastError, errors[index]);
}

}  // namespace

std::string_view quantity_name(Quantity quantity) {
  switch (quantity) {
    case Quantity::kDecode:
      return "decode";
    case Quantity::kPrefill:
      return "prefill";
    case Quantity::kWatts:
      return "watts";
    case Quantity::kJoulesPerToken:
      return "J/token";
  }
  return "unknown";
}

std::string engine_of(const ReferenceRow& row) {
  return row.engine == "llama.cpp" && row.version == "2024" ? "llama.cpp 2024" : row.engine;
}

double prompt_of(const ReferenceRow& row) { return row.prompt.value_or(512); }

// The middle of the generated tokens. Where a row gives a prompt and no decode length, it is
// llama-bench's: 128 tokens into an empty cache.
double positions_of(const ReferenceRow& row) {
  const double generated = row.decode.value_or(128);
  const bool after_prompt = row.state == "server" || row.state == "phase";
  return row.depth.value_or(0) + (after_prompt ? row.prompt.value_or(0) : 0) + generated / 2;
}

FitGroup FitGroup::without(const std::string& model) const {
  FitGroup result = *this;
  std::erase_if(result.rows, [&](const FitRow& row) { return row.row->model == model; });
  return result;
}

std::vector<std::string> FitGroup::models() const {
  std::vector<std::string> names;
  for (const FitRow& row : rows)
    if (std::find(names.begin(), names.end(), row.row->model) == names.end())
      names.push_back(row.row->model);
  return names;
}

std::vector<FitResult> fit_all(const std::vector<ReferenceRow>& rows) {
  std::vector<FitResult> results;
  const std::vector<FitGroup> groups = groups_of(rows);
  for (const FitGroup& group : groups) {
    const std::vector<std::string> models = group.models();
    if (models.size() < 2) continue;
    FitResult result;
    const std::optional<GpuPrior> prior = shared_by_modes(groups, group, "");
    result.profile = fit_group(group, prior ? &*prior : nullptr);
    for (const std::string& model : models) {
      const FitGroup rest = group.without(model);
      const std::optional<GpuPrior> rest_prior = shared_by_modes(groups, group, model);
      hold_out(group, model, fit_group(rest, rest_prior ? &*rest_prior : nullptr), result.held_out);
    }
    Profile& p = result.profile;
    p.basis_rows = static_cast<std::uint32_t>(group.rows.size());
    p.basis = fmt::format("{} models; {}", models.size(), group.rows.front().row->source);
    std::replace(p.basis.begin(), p.basis.end(), ',', ';');  // it is a field of a table
    p.decode_error = interval_of(result.held_out, Quantity::kDecode, 0.3);
    p.prefill_error = interval_of(result.held_out, Quantity::kPrefill, 0.5);
    p.watts_error = interval_of(result.held_out, Quantity::kWatts, 0.2);
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace edgelm::predict
