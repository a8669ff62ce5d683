// Known values, and how often the slope's interval holds the true slope.

#include "stats/robust.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/random.h"
#include "stats/settle.h"

namespace edgelm::stats {
namespace {

TEST(Robust, MedianAbsoluteDeviation) {
  EXPECT_EQ(median_absolute_deviation(std::array{1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0}), 1.0);
  EXPECT_EQ(median_absolute_deviation(std::array{3.0}), 0.0);
  EXPECT_TRUE(std::isnan(median_absolute_deviation({})));
}

TEST(Robust, OutliersBeyondFiveDeviations) {
  // Median 10, MAD 1: 15 is at the bound, 15.1 and 4 are beyond it.
  const std::array samples{9.0, 10.0, 11.0, 10.0, 9.0, 11.0, 15.1, 4.0, 15.0};
  EXPECT_EQ(outliers(samples), (std::vector<std::uint32_t>{6, 7}));
  EXPECT_EQ(outliers(std::array{5.0, 5.0, 5.0, 5.1}), (std::vector<std::uint32_t>{3}));
  EXPECT_TRUE(outliers({}).empty());
}

TEST(Robust, SlopeOfALineDespiteAnOutlier) {
  const std::array x{0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0};
  const std::array y{1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 90.0, 15.0};
  const Slope slope = theil_sen(x, y);
  EXPECT_DOUBLE_EQ(slope.slope, 2.0);
  EXPECT_TRUE(slope.excludes_zero());
  EXPECT_LE(slope.low, 2.0);
  EXPECT_GE(slope.high, 2.0);
}

TEST(Robust, IntervalOfHollanderAndWolfe) {
  // By hand: 15 pairs, 1.96 sqrt(6*5*17/18) = 10.43, rank floor((15 - 10.43) / 2) = 2: the second
  // smallest and the second largest of -2 -2 0.2 0.33 1 1 1.33 1.5 1.5 1.6 1.8 2 3 5 5.
  const std::array x{1.0, 2.0, 3.0, 4.0, 5.0, 6.0};
  const std::array y{0.0, 3.0, 1.0, 6.0, 4.0, 9.0};
  const Slope slope = theil_sen(x, y);
  EXPECT_DOUBLE_EQ(slope.low, -2.0);
  EXPECT_DOUBLE_EQ(slope.high, 5.0);
  EXPECT_FALSE(slope.excludes_zero());
}

TEST(Robust, TooFewPointsBoundNothing) {
  const Slope three = theil_sen(std::array{0.0, 1.0, 2.0}, std::array{1.0, 2.0, 3.0});
  EXPECT_DOUBLE_EQ(three.slope, 1.0);
  EXPECT_FALSE(three.excludes_zero());
  EXPECT_FALSE(theil_sen({}, {}).excludes_zero());
  EXPECT_FALSE(theil_sen(std::array{1.0, 1.0}, std::array{1.0, 2.0}).excludes_zero());
}

TEST(Robust, SlopeIntervalCoversTheTruth) {
  Random random(11);
  int covered = 0;
  int false_alarms = 0;
  constexpr int kTrials = 600;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::array<double, 12> x{};
    std::array<double, 12> y{};
    std::array<double, 12> flat{};
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<double>(i);
      const double noise = random.unit() + random.unit() + random.unit() - 1.5;
      y[i] = 0.3 * x[i] + noise;
      flat[i] = noise;
    }
    const Slope slope = theil_sen(x, y);
    if (slope.low <= 0.3 && slope.high >= 0.3) ++covered;
    if (theil_sen(x, flat).excludes_zero()) ++false_alarms;
  }
  EXPECT_NEAR(covered / double{kTrials}, 0.95, 0.03);
  EXPECT_NEAR(false_alarms / double{kTrials}, 0.05, 0.03);
}

TEST(Settle, ThreeRatesWithinThreePercent) {
  SettleDetector detector;
  detector.add(50);
  detector.add(100);
  EXPECT_FALSE(detector.settled());
  detector.add(101);
  EXPECT_FALSE(detector.settled());  // 50 is among the last three
  detector.add(98.1);
  EXPECT_TRUE(detector.settled());  // 2.9 of 101
  detector.add(97.9);
  EXPECT_FALSE(detector.settled());  // 3.1 of 101
  EXPECT_EQ(detector.count(), 5U);
  SettleDetector nothing;
  for (int i = 0; i < 5; ++i) nothing.add(0);
  EXPECT_FALSE(nothing.settled());
}

}  // namespace
}  // namespace edgelm::stats
