#pragma once
// Percentile bootstrap intervals with a fixed seed: the same samples give the same interval, on
// every machine. For medians of repetitions, ratios of two of them, and ratios of totals (joules
// over tokens). The simulation in bootstrap_test.cpp holds their coverage.

#include <cstdint>
#include <span>

namespace edgelm::stats {

struct Interval {
  double low = 0;
  double high = 0;
};

constexpr std::uint32_t kResamples = 2000;
constexpr std::uint64_t kBootstrapSeed = 2503'09114;

// 95 % interval of the median. One sample: that sample twice; none: NaN.
Interval bootstrap_median(std::span<const double> samples, std::uint32_t resamples = kResamples,
                          std::uint64_t seed = kBootstrapSeed);

// 95 % interval of median(a) / median(b), a and b resampled independently.
Interval bootstrap_median_ratio(std::span<const double> a, std::span<const double> b,
                                std::uint32_t resamples = kResamples,
                                std::uint64_t seed = kBootstrapSeed);

// 95 % interval of sum(numerators) / sum(denominators), pairs resampled together. Of equal size.
Interval bootstrap_ratio_of_totals(std::span<const double> numerators,
                                   std::span<const double> denominators,
                                   std::uint32_t resamples = kResamples,
                                   std::uint64_t seed = kBootstrapSeed);

}  // namespace edgelm::stats
