#pragma once
// Order statistics of a set of samples, as benchmarks report them.

#include <cstddef>
#include <span>

namespace edgelm::stats {

// Median of the samples (mean of the middle two when even); NaN when empty.
double median(std::span<const double> samples);

// Linear-interpolation quantile (type 7 of Hyndman and Fan 1996), q in [0, 1]; NaN when empty.
double quantile(std::span<const double> samples, double q);

struct Summary {
  double median = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double stddev = 0;  // of the sample (n - 1); 0 with fewer than two
  std::size_t count = 0;
};

Summary summarize(std::span<const double> samples);

}  // namespace edgelm::stats
