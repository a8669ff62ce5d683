// Known intervals, repeatability, and coverage on noise like that of a small board.

#include "stats/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace edgelm::stats {
namespace {

TEST(Bootstrap, OneSampleAndNone) {
  const Interval one = bootstrap_median(std::array{7.0});
  EXPECT_EQ(one.low, 7.0);
  EXPECT_EQ(one.high, 7.0);
  EXPECT_TRUE(std::isnan(bootstrap_median({}).low));
  EXPECT_TRUE(std::isnan(bootstrap_ratio_of_totals({}, {}).high));
}

TEST(Bootstrap, MedianOfThreeIsExact) {
  // The median of three draws from {1, 2, 3} is 1 with probability 7/27: both ends are in the
  // interval.
  const Interval interval = bootstrap_median(std::array{3.0, 1.0, 2.0});
  EXPECT_EQ(interval.low, 1.0);
  EXPECT_EQ(interval.high, 3.0);
}

TEST(Bootstrap, OrderStatisticsThatBoundTheMedianOfEleven) {
  // P(median* <= x(k)) = P(Binomial(11, k/11) >= 6): 0.0098 for k = 2, 0.0612 for k = 3, and
  // the mirror image above; so the interval is [x(3), x(9)].
  std::vector<double> samples;
  for (int i = 1; i <= 11; ++i) samples.push_back(i * i);
  const Interval interval = bootstrap_median(samples);
  EXPECT_EQ(interval.low, 9.0);
  EXPECT_EQ(interval.high, 81.0);
}

TEST(Bootstrap, TheSameSamplesGiveTheSameInterval) {
  const std::array samples{4.0, 8.0, 15.0, 16.0, 23.0, 42.0};
  EXPECT_EQ(bootstrap_median(samples).low, bootstrap_median(samples).low);
  EXPECT_EQ(bootstrap_median(samples).high, bootstrap_median(samples).high);
}

TEST(Bootstrap, RatioOfTotalsIsNotTheMeanOfRatios) {
  // Constant power: every pair has the same ratio, whatever its weight.
  const Interval same =
      bootstrap_ratio_of_totals(std::array{2.0, 20.0, 4.0}, std::array{1.0, 10.0, 2.0});
  EXPECT_DOUBLE_EQ(same.low, 2.0);
  EXPECT_DOUBLE_EQ(same.high, 2.0);
  const Interval apart = bootstrap_ratio_of_totals(std::array{1.0, 100.0}, std::array{1.0, 10.0});
  EXPECT_DOUBLE_EQ(apart.low, 1.0);
  EXPECT_DOUBLE_EQ(apart.high, 10.0);
}

TEST(Bootstrap, RatioOfMedians) {
  const std::array a{20.0, 20.0, 20.0};
  const std::array b{10.0, 10.0, 10.0, 10.0};
  const Interval interval = bootstrap_median_ratio(a, b);
  EXPECT_DOUBLE_EQ(interval.low, 2.0);
  EXPECT_DOUBLE_EQ(interval.high, 2.0);
}

// 2 % lognormal noise, and one run in ten 5 to 15 % slower: what boards do.
double noisy_run(Random& random) {
  const double normal =
      std::sqrt(-2 * std::log(1 - random.unit())) * std::cos(2 * 3.14159265358979 * random.unit());
  const double slow = random.unit() < 0.1 ? 1 - 0.05 - 0.1 * random.unit() : 1;
  return std::exp(0.02 * normal) * slow;
}

TEST(Bootstrap, CoversTheTrueMedian) {
  Random random(5);
  std::vector<double> many(20001);
  for (double& value : many) value = noisy_run(random);
  std::nth_element(many.begin(), many.begin() + 10000, many.end());
  const double truth = many[10000];
  constexpr int kTrials = 500;
  for (const std::size_t n : {std::size_t{10}, std::size_t{20}}) {
    int covered = 0;
    double width = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      std::vector<double> samples(n);
      for (double& value : samples) value = noisy_run(random);
      const Interval interval = bootstrap_median(samples);
      if (interval.low <= truth && truth <= interval.high) ++covered;
      width += (interval.high - interval.low) / kTrials;
    }
    EXPECT_NEAR(covered / double{kTrials}, 0.94, 0.03) << n;
    EXPECT_NEAR(width, n == 10 ? 0.041 : 0.024, 0.006) << n;
  }
}

}  // namespace
}  // namespace edgelm::stats
