// Order statistics over small sets of samples.

#include "stats/summary.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace edgelm::stats {

double quantile(std::span<const double> samples, double q) {
  if (samples.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double fraction = position - static_cast<double>(below);
  return sorted[below] + fraction * (sorted[above] - sorted[below]);
}

double median(std::span<const double> samples) { return quantile(samples, 0.5); }

Summary summarize(std::span<const double> samples) {
  Summary summary;
  summary.count = samples.size();
  summary.median = median(samples);
  summary.min = quantile(samples, 0);
  summary.max = quantile(samples, 1);
  double sum = 0;
  for (const double sample : samples) sum += sample;
  summary.mean = samples.empty() ? summary.median : sum / static_cast<double>(samples.size());
  double squares = 0;
  for (const double sample : samples) squares += (sample - summary.mean) * (sample - summary.mean);
  if (samples.size() > 1)
    summary.stddev = std::sqrt(squares / static_cast<double>(samples.size() - 1));
  return summary;
}

}  // namespace edgelm::stats
