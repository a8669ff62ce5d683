// Closed formulas.

#include "quality/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/bootstrap.h"

namespace edgelm::quality {

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

Interval bootstrap_mean(std::span<const double> values) {
  const std::vector<double> ones(values.size(), 1.0);
  return stats::bootstrap_ratio_of_totals(values, ones);
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
