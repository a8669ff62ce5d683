#pragma once
// From raw samples to what a record keeps of them: median, spread, interval, and what looks wrong
// (outliers, drift), which is flagged and stays in. Used by every phase of the protocol.

#include <span>

#include "measure/record.h"

namespace edgelm::measure {

// A drift below this share of the median, over the whole series, is noise of no consequence.
constexpr double kDriftThreshold = 0.02;

// Of fewer, two that happen to be alike make an outlier of every other.
constexpr std::size_t kSamplesForOutliers = 5;

// `times_s`: when each sample was taken, of the same size.
Series make_series(std::span<const double> samples, std::span<const double> times_s);

// Half of the interval that lies further from the median, relative to it; infinite below two
// samples. Repetitions go on until it is small enough.
double relative_precision(const Series& series);

}  // namespace edgelm::measure
