#pragma once
// Statistics that a slow run in ten does not mislead: the median absolute deviation, outliers by
// it, and the Theil-Sen slope. Used by the measuring protocol on its repetitions; outliers and
// drift are flagged with them and never removed.

#include <cstdint>
#include <span>
#include <vector>

namespace edgelm::stats {

// Median of |x - median|, not scaled to a standard deviation; NaN when empty.
double median_absolute_deviation(std::span<const double> samples);

// Indices of samples further than `factor` MADs from the median, ascending. Where more than half of
// the samples are equal (MAD 0), all that differ from them.
std::vector<std::uint32_t> outliers(std::span<const double> samples, double factor = 5);

struct Slope {
  double slope = 0;          // y per x
  double low = 0, high = 0;  // 95 %; infinite where so few points bound nothing
  [[nodiscard]] bool excludes_zero() const { return low > 0 || high < 0; }
};

// Theil-Sen: the median slope of all pairs, with Sen's interval from the distribution of Kendall's
// statistic (Sen 1968, section 6; Hollander and Wolfe, section 9.3). Pairs with equal x do not
// count. x and y have the same size; a slope of 0 with an infinite interval below two pairs.
Slope theil_sen(std::span<const double> x, std::span<const double> y);

}  // namespace edgelm::stats
