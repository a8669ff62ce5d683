// Known medians and quantiles.

#include "stats/summary.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace edgelm::stats {
namespace {

TEST(Summary, MedianOfOddAndEven) {
  EXPECT_EQ(median(std::array{3.0, 1.0, 2.0}), 2.0);
  EXPECT_EQ(median(std::array{4.0, 1.0, 2.0, 3.0}), 2.5);
  EXPECT_TRUE(std::isnan(median({})));
}

TEST(Summary, QuantilesInterpolate) {
  const std::array samples{10.0, 20.0, 30.0, 40.0, 50.0};
  EXPECT_EQ(quantile(samples, 0), 10.0);
  EXPECT_EQ(quantile(samples, 1), 50.0);
  EXPECT_DOUBLE_EQ(quantile(samples, 0.1), 14.0);
}

TEST(Summary, SpreadOfASample) {
  const Summary summary = summarize(std::array{2.0, 4.0, 6.0});
  EXPECT_EQ(summary.mean, 4.0);
  EXPECT_DOUBLE_EQ(summary.stddev, 2.0);
  EXPECT_EQ(summary.min, 2.0);
  EXPECT_EQ(summary.max, 6.0);
  EXPECT_EQ(summarize(std::array{1.0}).stddev, 0.0);
}

}  // namespace
}  // namespace edgelm::stats
