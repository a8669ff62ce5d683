// MAD, outliers, Theil-Sen.

#include "stats/robust.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/summary.h"

namespace edgelm::stats {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNormal975 = 1.959963984540054;  // 97.5 % quantile of the normal distribution

}  // namespace

double median_absolute_deviation(std::span<const double> samples) {
  const double middle = median(samples);
  std::vector<double> distances;
  distances.reserve(samples.size());
  for (const double sample : samples) distances.push_back(std::abs(sample - middle));
  return median(distances);
}

std::vector<std::uint32_t> outliers(std::span<const double> samples, double factor) {
  const double middle = median(samples);
  const double bound = factor * median_absolute_deviation(samples);
  std::vector<std::uint32_t> found;
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (std::abs(samples[i] - middle) > bound) found.push_back(static_cast<std::uint32_t>(i));
  return found;
}

Slope theil_sen(std::span<const double> x, std::span<const double> y) {
  const std::size_t n = std::min(x.size(), y.size());
  std::vector<double> slopes;
  slopes.reserve(n * n / 2);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j)
      if (x[i] != x[j]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
  if (slopes.size() < 2) return {slopes.empty() ? 0 : slopes[0], -kInfinity, kInfinity};
  std::sort(slopes.begin(), slopes.end());
  Slope result;
  result.slope = median(slopes);
  // Variance of Kendall's S without ties.
  const auto points = static_cast<double>(n);
  const double spread = kNormal975 * std::sqrt(points * (points - 1) * (2 * points + 5) / 18);
  const auto pairs = static_cast<double>(slopes.size());
  // The rank (from 1) of the slope that is the lower bound; below 1 nothing bounds it.
  const double rank = std::floor((pairs - spread) / 2);
  if (rank < 1) {
    result.low = -kInfinity;
    result.high = kInfinity;
  } else {
    const auto below = static_cast<std::size_t>(rank) - 1;
    result.low = slopes[below];
    result.high = slopes[slopes.size() - 1 - below];
  }
  return result;
}

}  // namespace edgelm::stats
