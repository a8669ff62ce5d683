// Closed formulas, and a bootstrap.

#include "quality/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"
#include "stats/summary.h"

namespace edgelm::quality {

Interval wilson(std::uint64_t successes, std::uint64_t n, double z) {
  if (n == 0) return {0, 1};
  const auto count = static_cast<double>(n);
  const double p = static_cast<double>(successes) / count;
  const double z2 = z * z;
  const double centre = (p + z2 / (2 * count)) / (1 + z2 / count);
  const double half =
      z / (1 + z2 / count) * std::sqrt(p * (1 - p) / count + z2 / (4 * count * count));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double proportion_error(std::uint64_t successes, std::uint64_t n) {
  if (n < 2) return 0;
  const double p = static_cast<double>(successes) / static_cast<double>(n);
  return std::sqrt(p * (1 - p) / static_cast<double>(n - 1));
}

Mean mean_of(std::span<const double> values) {
  Mean result;
  result.n = values.size();
  if (values.empty()) return result;
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  result.mean = sum / n;
  if (values.size() < 2) return result;
  double squares = 0;  // around the mean: no cancellation
  for (const double value : values) squares += (value - result.mean) * (value - result.mean);
  result.standard_error = std::sqrt(squares / (n - 1) / n);
  return result;
}

Interval bootstrap_mean(std::span<const double> values, std::uint64_t seed,
                        std::uint32_t resamples) {
  if (values.empty() || resamples == 0) return {};
  Random random(seed);
  std::vector<double> means(resamples);
  for (double& mean : means) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += values[static_cast<std::size_t>(random.bits() % values.size())];
    mean = sum / static_cast<double>(values.size());
  }
  return {stats::quantile(means, 0.025), stats::quantile(means, 0.975)};
}

McNemar mcnemar(std::uint64_t only_a, std::uint64_t only_b) {
  McNemar result{.only_a = only_a, .only_b = only_b, .exact_p = 1, .mid_p = 1};
  const std::uint64_t n = only_a + only_b;
  if (n == 0) return result;
  const std::uint64_t least = std::min(only_a, only_b);
  // Terms of the binomial through logarithms: n may be tens of thousands.
  const auto term = [&](std::uint64_t k) {
    const auto of = [](std::uint64_t value) { return static_cast<double>(value); };
    return std::exp(std::lgamma(of(n) + 1) - std::lgamma(of(k) + 1) - std::lgamma(of(n - k) + 1) -
                    of(n) * std::log(2.0));
  };
  double tail = 0;
  for (std::uint64_t k = 0; k <= least; ++k) tail += term(k);
  result.exact_p = std::min(1.0, 2 * tail);
  result.mid_p = only_a == only_b ? 1 - term(least) / 2 : std::min(1.0, 2 * tail - term(least));
  return result;
}

double normal_p(double z) { return std::erfc(std::abs(z) / std::sqrt(2.0)); }

}  // namespace edgelm::quality
