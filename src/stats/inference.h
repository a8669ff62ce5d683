#pragma once
// Intervals and tests for scores: Wilson's interval of a proportion, and the paired difference of
// two series on the same items. Used by quality/ and by compare.

#include <cstdint>
#include <span>

#include "stats/bootstrap.h"

namespace edgelm::stats {

// Wilson's 95 % score interval of `successes` of `n` (Wilson 1927); [0, 1] for n = 0.
Interval wilson(std::uint64_t successes, std::uint64_t n);

struct PairedDifference {
  double mean = 0;            // of a[i] - b[i]
  double standard_error = 0;  // of that mean
  double low = 0, high = 0;   // 95 %, by Student's t
  double p_value = 1;         // two-sided, that the mean is 0
  std::size_t n = 0;
};

// a and b have a value for each item, in the same order. With fewer than two items the interval is
// infinite and p is 1.
PairedDifference paired_difference(std::span<const double> a, std::span<const double> b);

// P(|T| > |t|) of Student's distribution with `degrees` of freedom (degrees >= 1).
double student_two_sided(double t, double degrees);
// The t that a 95 % interval takes: 12.706 for 1 degree, 1.96 for many.
double student_975(double degrees);

// Two-sided sign test: the probability of a split as uneven as `fewer` of `n` or more so, for fair
// coins. Ties have been left out.
double sign_test(std::uint64_t fewer, std::uint64_t n);

}  // namespace edgelm::stats
