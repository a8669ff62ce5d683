// Median power of a quiet window, and the subtraction.

#include "device/power/idle.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "os/clock.h"
#include "stats/summary.h"

namespace edgelm::device {
namespace {

constexpr double kMostDrift = 0.1;
constexpr double kSlowWindow = 60;  // of sensors that have a value per second
constexpr double kMadToSigma = 1.4826;

// 1 sigma of a median of correlated samples: taken as that of one sample's spread over the square
// root of the seconds watched, which is fewer than the samples.
double variance_of(const Idle& idle) {
  const double independent = std::max(1.0, std::min<double>(idle.n_samples, idle.seconds));
  return std::pow(kMadToSigma * idle.mad, 2) / independent;
}

}  // namespace

Known<Idle> idle_of(std::span<const Reading> watts, std::int64_t begin, std::int64_t end) {
  std::vector<double> samples;
  for (const Reading& reading : watts)
    if (reading.t_ns >= begin && reading.t_ns <= end) samples.push_back(reading.value);
  if (samples.size() < 3)
    return not_available(fmt::format("only {} readings while idle", samples.size()));
  Idle idle;
  idle.watts = stats::median(samples);
  idle.seconds = os::ns_to_s(end - begin);
  idle.n_samples = static_cast<std::uint32_t>(samples.size());
  for (double& sample : samples) sample = std::abs(sample - idle.watts);
  idle.mad = stats::median(samples);
  return idle;
}

Known<Idle> measure_idle(Recorder& recorder, const std::function<bool(double seconds)>& sleep,
                         double settle_s, double window_s) {
  const SensorInfo* const sensor = recorder.sensor();
  if (sensor == nullptr) {
    const Known<Energy> why = recorder.energy(0, 1);
    return not_available(why ? "no power sensor" : why.error().reason);
  }
  double seconds = std::max(window_s, sensor->min_window_s);
  if (sensor->period_s >= 1) seconds = std::max(seconds, kSlowWindow);
  if (!sleep(settle_s)) return not_available("interrupted while settling");
  const std::int64_t begin = recorder.mark();
  if (!sleep(seconds)) return not_available("interrupted while idle");
  const std::int64_t end = recorder.mark();
  const Known<Energy> energy = recorder.energy(begin, end);  // whether the source was up to it
  if (!energy) return tl::unexpected<Absent>(energy.error());
  return idle_of(recorder.watts(), begin, end);
}

Known<Net> net_energy(const Known<Energy>& gross, const Known<Idle>& before,
                      const Known<Idle>& after) {
  if (!gross) return tl::unexpected<Absent>(gross.error());
  if (!before && !after) return tl::unexpected<Absent>(before.error());
  const Idle& first = before ? *before : *after;
  const Idle& last = after ? *after : *before;
  Net net;
  net.idle_watts = (first.watts + last.watts) / 2;
  const double change = std::abs(last.watts - first.watts);
  net.drift = net.idle_watts > 0 ? change / net.idle_watts : 0;
  net.joules = gross->joules - net.idle_watts * gross->seconds;
  // The baseline lies somewhere between its two ends: half the change is taken as 1 sigma.
  const double baseline = (variance_of(first) + variance_of(last)) / 4 + std::pow(change / 2, 2);
  net.uncertainty =
      std::sqrt(std::pow(gross->uncertainty, 2) + baseline * std::pow(gross->seconds, 2));
  net.low_confidence = net.drift > kMostDrift || !before || !after || gross->low_confidence;
  return net;
}

}  // namespace edgelm::device
