// Median, MAD, bootstrap interval, outliers, drift.

#include "measure/series.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/bootstrap.h"
#include "stats/robust.h"
#include "stats/summary.h"

namespace edgelm::measure {

Series make_series(std::span<const double> samples, std::span<const double> times_s) {
  Series series;
  series.samples.assign(samples.begin(), samples.end());
  if (samples.empty()) return series;
  series.median = stats::median(samples);
  series.mad = stats::median_absolute_deviation(samples);
  const stats::Interval interval = stats::bootstrap_median(samples);
  series.low = interval.low;
  series.high = interval.high;
  if (samples.size() >= kSamplesForOutliers) series.outliers = stats::outliers(samples);
  const stats::Slope slope = stats::theil_sen(times_s, samples);
  if (series.median != 0) series.slope_per_s = slope.slope / std::abs(series.median);
  const double duration = times_s.size() < 2 ? 0 : times_s.back() - times_s.front();
  series.drifting =
      slope.excludes_zero() && std::abs(series.slope_per_s) * duration >= kDriftThreshold;
  return series;
}

double relative_precision(const Series& series) {
  if (series.samples.size() < 2 || series.median == 0)
    return std::numeric_limits<double>::infinity();
  return std::max(series.high - series.median, series.median - series.low) /
         std::abs(series.median);
}

}  // namespace edgelm::measure
