#pragma once
// The statistics of quality that stats/ does not have: standard errors as the reference
// implementations print them, and McNemar's test, which tells two models apart on the same items.
// Used by every evaluation of this folder and by compare.h; pure arithmetic with its own tests.

#include <cstdint>
#include <span>

#include "stats/inference.h"

namespace edgelm::quality {

inline constexpr double kZ95 = 1.959963984540054;  // the normal quantile of 97.5 %

using stats::Interval;

// sqrt(p (1 - p) / (n - 1)), as lm-evaluation-harness and llama.cpp print it; 0 below two items.
double proportion_error(std::uint64_t successes, std::uint64_t n);

struct Mean {
  double mean = 0;
  double standard_error = 0;  // of the mean, from the sample's variance; 0 below two values
  std::uint64_t n = 0;

  [[nodiscard]] Interval interval(double z = kZ95) const {
    return {mean - z * standard_error, mean + z * standard_error};
  }
};
Mean mean_of(std::span<const double> values);

// Percentile bootstrap of the mean, 95 %: for few or skewed values. Seeded, so that it repeats.
Interval bootstrap_mean(std::span<const double> values);

// Two models on the same items, by the items that only one of them gets right (McNemar 1947).
// Under the null hypothesis each of those goes either way with probability 1/2.
struct McNemar {
  std::uint64_t only_a = 0;
  std::uint64_t only_b = 0;
  double exact_p = 1;  // two-sided binomial
  double mid_p = 1;    // exact - P(the table seen): less conservative (Fagerland et al. 2013)
};
McNemar mcnemar(std::uint64_t only_a, std::uint64_t only_b);

// Two-sided p of a normal deviate.
double normal_p(double z);

}  // namespace edgelm::quality
