// Energy windows: interpolation at the boundaries, coverage, uncertainty.

#include "device/power/integrate.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "device/power/checked_reading.h"
#include "os/clock.h"

namespace edgelm::device {
namespace {

constexpr double kGapPeriods = 3;
constexpr double kLowCoverage = 0.8;
constexpr double kLeastCoverage = 0.5;
constexpr double kLowPeriods = 10;
constexpr std::uint32_t kLeastSamples = 3;

using Readings = std::span<const Reading>;

double update_of(const SensorInfo& info) {
  return info.update_s > 0 ? info.update_s : info.period_s;
}

// Index of the first reading later than t.
std::size_t after(Readings readings, std::int64_t t) {
  const auto later = std::upper_bound(
      readings.begin(), readings.end(), t,
      [](std::int64_t moment, const Reading& reading) { return moment < reading.t_ns; });
  return static_cast<std::size_t>(later - readings.begin());
}

// On the line through two readings; beyond them too.
double on_line(const Reading& a, const Reading& b, std::int64_t t) {
  const double share = static_cast<double>(t - a.t_ns) / static_cast<double>(b.t_ns - a.t_ns);
  return a.value + share * (b.value - a.value);
}

double count_at(Readings readings, std::int64_t t) {
  const std::size_t next = std::clamp<std::size_t>(after(readings, t), 1, readings.size() - 1);
  return on_line(readings[next - 1], readings[next], t);
}

double watts_at(Readings readings, std::int64_t t) {
  const std::size_t next = after(readings, t);
  if (next == 0) return readings.front().value;
  if (next == readings.size()) return readings.back().value;
  return on_line(readings[next - 1], readings[next], t);
}

double trapezoid(Readings readings, std::int64_t begin, std::int64_t end) {
  double joules = 0;
  std::int64_t t = begin;
  double watts = watts_at(readings, begin);
  for (std::size_t i = after(readings, begin); t < end; ++i) {
    const bool inside = i < readings.size() && readings[i].t_ns < end;
    const std::int64_t next_t = inside ? readings[i].t_ns : end;
    const double next_watts = inside ? readings[i].value : watts_at(readings, end);
    joules += 0.5 * (watts + next_watts) * os::ns_to_s(next_t - t);
    t = next_t;
    watts = next_watts;
  }
  return joules;
}

// Indices of the readings that told something new: all of a gauge; of a counter those at which it
// had moved, because a counter that stands still has stalled.
std::vector<std::size_t> news(Readings readings, bool counter) {
  std::vector<std::size_t> found;
  found.reserve(readings.size());
  for (std::size_t i = 0; i < readings.size(); ++i)
    if (!counter || found.empty() || readings[i].value > readings[found.back()].value)
      found.push_back(i);
  return found;
}

struct Coverage {
  double sampled = 0;  // share of the window that no gap of more than three periods takes
  double known = 0;    // the same, but a counter goes on while nobody reads it
};

Coverage coverage_of(Readings readings, const SensorInfo& info, std::int64_t begin,
                     std::int64_t end) {
  const std::vector<std::size_t> moments = news(readings, info.counter);
  const auto gap_ns = static_cast<std::int64_t>(kGapPeriods * info.period_s * 1e9);
  std::int64_t unsampled = 0;
  std::int64_t forgiven = 0;
  const auto missing = [&](std::int64_t from, std::int64_t to) {
    if (to - from <= gap_ns) return std::int64_t{0};
    return std::max<std::int64_t>(0, std::min(to, end) - std::max(from, begin));
  };
  unsampled += missing(begin, readings[moments.front()].t_ns);
  for (std::size_t i = 1; i < moments.size(); ++i) {
    const std::int64_t gap = missing(readings[moments[i - 1]].t_ns, readings[moments[i]].t_ns);
    unsampled += gap;
    if (info.counter && moments[i] == moments[i - 1] + 1) forgiven += gap;
  }
  unsampled += missing(readings[moments.back()].t_ns, end);
  const auto all = static_cast<double>(end - begin);
  return {1 - static_cast<double>(unsampled) / all,
          1 - static_cast<double>(unsampled - forgiven) / all};
}

// Mean power in up to three intervals outside the window, next to `edge`; `otherwise` when nothing
// was read there.
double watts_outside(Readings readings, const SensorInfo& info, std::int64_t edge, bool before,
                     double otherwise) {
  const auto reach = static_cast<std::int64_t>(kGapPeriods * info.period_s * 1e9);
  const std::int64_t from = before ? std::max(edge - reach, readings.front().t_ns) : edge;
  const std::int64_t to = before ? edge : std::min(edge + reach, readings.back().t_ns);
  if (to - from < reach / 6) return otherwise;
  return joules_between(readings, info.counter, from, to) / os::ns_to_s(to - from);
}

// (step of the power at the edge x what is not resolved there / 2)^2
double edge_variance(Readings readings, const SensorInfo& info, std::int64_t edge, bool before,
                     double mean_watts) {
  const double step = mean_watts - watts_outside(readings, info, edge, before, 0);
  const std::size_t next = after(readings, edge);
  double unresolved_s = update_of(info);
  const bool exact = next > 0 && readings[next - 1].t_ns == edge;
  if (!exact && next > 0 && next < readings.size())
    unresolved_s =
        std::max(unresolved_s, os::ns_to_s(readings[next].t_ns - readings[next - 1].t_ns));
  return std::pow(step * unresolved_s / 2, 2);
}

double uncertainty_of(Readings all, Readings inside, const SensorInfo& info, std::int64_t begin,
                      std::int64_t end, const Energy& energy) {
  double variance = std::pow(info.relative_uncertainty * energy.joules, 2);
  const double quantum = info.quantum / std::sqrt(12.0);
  variance += info.counter ? 2 * quantum * quantum : std::pow(quantum * energy.seconds, 2);
  variance += edge_variance(all, info, begin, true, energy.mean_watts);
  variance += edge_variance(all, info, end, false, energy.mean_watts);
  if (!info.counter) {
    std::vector<double> watts(inside.size());
    std::transform(inside.begin(), inside.end(), watts.begin(),
                   [](const Reading& reading) { return reading.value; });
    variance += std::pow(standard_error_of_mean(watts) * energy.seconds, 2);
  }
  return std::sqrt(variance);
}

std::string with_reason(std::string text, std::string_view why) {
  if (!why.empty()) text.append("; the sensor failed: ").append(why);
  return text;
}

}  // namespace

double joules_between(Readings readings, bool counter, std::int64_t begin, std::int64_t end) {
  if (readings.size() < (counter ? 2U : 1U) || end <= begin) return 0;
  return counter ? count_at(readings, end) - count_at(readings, begin)
                 : trapezoid(readings, begin, end);
}

std::vector<Reading> as_watts(Readings readings, const SensorInfo& info) {
  std::vector<Reading> watts;
  if (!info.counter) {
    watts.assign(readings.begin(), readings.end());
    return watts;
  }
  const double least_s = std::max(info.period_s / 2, std::min(10 * info.update_s, info.period_s));
  watts.reserve(readings.size());
  std::size_t from = 0;
  bool restart = false;
  for (std::size_t i = 1; i < readings.size(); ++i) {
    if (readings[i].restart) {
      from = i;
      restart = true;
      continue;
    }
    const double seconds = os::ns_to_s(readings[i].t_ns - readings[from].t_ns);
    if (seconds < least_s) continue;
    const std::int64_t middle = readings[from].t_ns + (readings[i].t_ns - readings[from].t_ns) / 2;
    watts.push_back({middle, (readings[i].value - readings[from].value) / seconds, restart});
    from = i;
    restart = false;
  }
  return watts;
}

double standard_error_of_mean(std::span<const double> samples) {
  const std::size_t n = samples.size();
  if (n < 4) return 0;
  const double count = static_cast<double>(n);
  const double middle = (count - 1) / 2;
  double mean = 0;
  for (const double sample : samples) mean += sample / count;
  double along = 0;
  double spread = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(i) - middle;
    along += x * (samples[i] - mean);
    spread += x * x;
  }
  std::vector<double> sums(n + 1);  // of the residuals
  for (std::size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(i) - middle;
    sums[i + 1] = sums[i] + samples[i] - mean - along / spread * x;
  }
  const auto block = static_cast<std::size_t>(std::ceil(std::cbrt(count)));
  double variance = 0;
  for (std::size_t i = 0; i + block <= n; ++i) variance += std::pow(sums[i + block] - sums[i], 2);
  variance /= static_cast<double>((n - block + 1) * block);
  return std::sqrt(variance / count);
}

Known<Energy> integrate(Readings readings, const SensorInfo& info, std::int64_t begin,
                        std::int64_t end, std::string_view why) {
  Energy energy;
  energy.seconds = os::ns_to_s(end - begin);
  if (end <= begin) return not_available("an empty window");
  if (energy.seconds < info.min_window_s)
    return not_available(fmt::format(
        "the window of {:.3g} s is shorter than the {:.3g} s that {} needs: repeat the phase",
        energy.seconds, info.min_window_s, info.id));

  const std::size_t first = after(readings, begin - 1);
  const Readings inside = readings.subspan(first, after(readings, end) - first);
  energy.n_samples = static_cast<std::uint32_t>(inside.size());
  if (energy.n_samples < kLeastSamples)
    return not_available(
        with_reason(fmt::format("{} readings of {} in {:.3g} s, at least {} are needed",
                                energy.n_samples, info.id, energy.seconds, kLeastSamples),
                    why));
  for (std::size_t i = std::max<std::size_t>(after(readings, begin), 1); i < readings.size(); ++i) {
    if (readings[i - 1].t_ns >= end) break;
    if (readings[i].restart)
      return not_available(with_reason(
          fmt::format(
              "{} lost track inside the window: a reset, a gap in which it may have wrapped "
              "more than once, or a suspended machine",
              info.id),
          why));
  }
  const Coverage coverage = coverage_of(readings, info, begin, end);
  energy.coverage = coverage.sampled;
  if (coverage.known < kLeastCoverage)
    return not_available(
        with_reason(fmt::format("{} told something new in only {:.0f} % of the window", info.id,
                                100 * coverage.known),
                    why));

  energy.joules = joules_between(readings, info.counter, begin, end);
  energy.mean_watts = energy.joules / energy.seconds;
  if (const auto power = plausible_watts(energy.mean_watts, info.id); !power)
    return not_available(power.error().message);
  const std::vector<Reading> watts = as_watts(inside, info);
  energy.peak_watts = info.counter ? energy.mean_watts : watts_at(readings, begin);
  for (const Reading& sample : watts) energy.peak_watts = std::max(energy.peak_watts, sample.value);
  energy.uncertainty = uncertainty_of(readings, inside, info, begin, end, energy);
  energy.low_confidence =
      energy.coverage < kLowCoverage || energy.seconds < kLowPeriods * info.period_s;
  return energy;
}

}  // namespace edgelm::device
