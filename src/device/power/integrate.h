#pragma once
// The arithmetic of energy windows: joules, coverage and uncertainty from readings, without threads
// or clocks. Called by the recorder and by whoever has readings from elsewhere; tested against
// analytic integrals. Pure functions.
//
// Between readings the power of a gauge and the count of a counter are linear in time, so windows
// that lie side by side add up exactly. Before the first and after the last reading the nearest
// power holds, for at most three periods.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "device/power/recorder.h"
#include "device/power/source.h"

namespace edgelm::device {

// Over [begin, end] in ns. `readings` have growing times. n/a with the reason when the window is
// shorter than the sensor's minimum, has fewer than three readings, reaches over a restart, or is
// not half covered; `why` is the last failure of the sensor ("" for none), for that reason.
// Low confidence: coverage below 0.8, or a window of fewer than ten periods.
//
// Uncertainty (1 sigma): of the sensor, of its quantum at both ends, of the power step at each end
// within one update of the sensor, and for gauges of sampling a power that fluctuates.
Known<Energy> integrate(std::span<const Reading> readings, const SensorInfo& info,
                        std::int64_t begin, std::int64_t end, std::string_view why = "");

// The integral alone, whatever the quality. Needs two readings of a counter, one of a gauge.
double joules_between(std::span<const Reading> readings, bool counter, std::int64_t begin,
                      std::int64_t end);

// Power over time. Of a counter: slopes over at least half a period (or ten updates), each at the
// middle of its interval; none over a restart.
std::vector<Reading> as_watts(std::span<const Reading> readings, const SensorInfo& info);

// 1 sigma of the mean of fluctuating samples, their correlation counted: what a moving-block
// bootstrap converges to (overlapping batch means, Meketon and Schmeiser 1984), after removing a
// linear trend. 0 for fewer than four samples.
double standard_error_of_mean(std::span<const double> samples);

}  // namespace edgelm::device
