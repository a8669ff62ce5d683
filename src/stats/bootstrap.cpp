// Resampling with replacement; the percentile interval of the resampled statistic.

#include "stats/bootstrap.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/random.h"
#include "stats/summary.h"

namespace edgelm::stats {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double select_median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

class Resampler {
 public:
  Resampler(std::span<const double> samples, Random& random)
      : samples_(samples), random_(random), drawn_(samples.size()) {}
  double median() {
    for (double& value : drawn_) value = samples_[random_.below(samples_.size())];
    return select_median(drawn_);
  }

 private:
  std::span<const double> samples_;
  Random& random_;
  std::vector<double> drawn_;
};

template <class F>
Interval percentile_interval(std::uint32_t resamples, F statistic) {
  std::vector<double> values(resamples);
  for (double& value : values) value = statistic();
  return {quantile(values, 0.025), quantile(values, 0.975)};
}

}  // namespace

Interval bootstrap_median(std::span<const double> samples, std::uint32_t resamples,
                          std::uint64_t seed) {
  if (samples.empty()) return {kNaN, kNaN};
  Random random(seed);
  Resampler resampler(samples, random);
  return percentile_interval(resamples, [&] { return resampler.median(); });
}

Interval bootstrap_median_ratio(std::span<const double> a, std::span<const double> b,
                                std::uint32_t resamples, std::uint64_t seed) {
  if (a.empty() || b.empty()) return {kNaN, kNaN};
  Random random(seed);
  Resampler above(a, random);
  Resampler below(b, random);
  return percentile_interval(resamples, [&] { return above.median() / below.median(); });
}

Interval bootstrap_ratio_of_totals(std::span<const double> numerators,
                                   std::span<const double> denominators, std::uint32_t resamples,
                                   std::uint64_t seed) {
  const std::size_t n = std::min(numerators.size(), denominators.size());
  if (n == 0) return {kNaN, kNaN};
  Random random(seed);
  return percentile_interval(resamples, [&] {
    double above = 0;
    double below = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t drawn = random.below(n);
      above += numerators[drawn];
      below += denominators[drawn];
    }
    return above / below;
  });
}

}  // namespace edgelm::stats
