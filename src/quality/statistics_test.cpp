// The formulas against published and hand-computed values.

#include "quality/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace edgelm::quality {
namespace {

TEST(Mean, HasTheStandardErrorOfTheSample) {
  const std::vector<double> values = {1, 2, 3, 4};
  const Mean mean = mean_of(values);
  EXPECT_DOUBLE_EQ(mean.mean, 2.5);
  EXPECT_DOUBLE_EQ(mean.standard_error, std::sqrt(5.0 / 3.0 / 4.0));
  EXPECT_EQ(mean_of({}).n, 0U);
  EXPECT_EQ(mean_of(std::span(values).first(1)).standard_error, 0);
}

TEST(Bootstrap, RepeatsAndAgreesWithTheNormalInterval) {
  std::vector<double> values(400);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 20);
  const Interval once = bootstrap_mean(values);
  const Interval normal = mean_of(values).interval();
  EXPECT_EQ(once.low, bootstrap_mean(values).low);
  EXPECT_NEAR(once.low, normal.low, 0.06);
  EXPECT_NEAR(once.high, normal.high, 0.06);
}

// 2 sum_{k<=2} C(12,k) / 2^12 = 2 * 79 / 4096; mid-p takes one C(12,2) off.
TEST(McNemar, IsTheBinomialTest) {
  const McNemar test = mcnemar(2, 10);
  EXPECT_NEAR(test.exact_p, 2 * 79.0 / 4096, 1e-12);
  EXPECT_NEAR(test.mid_p, (2 * 79.0 - 66) / 4096, 1e-12);
  EXPECT_EQ(mcnemar(0, 0).exact_p, 1);
  EXPECT_EQ(mcnemar(5, 5).exact_p, 1);
  EXPECT_NEAR(mcnemar(5, 5).mid_p, 1 - 252.0 / 1024 / 2, 1e-12);
  EXPECT_NEAR(mcnemar(0, 5).exact_p, 2.0 / 32, 1e-12);
  EXPECT_NEAR(mcnemar(40000, 40000).exact_p, 1, 1e-6);  // no overflow
}

TEST(Proportion, ErrorIsThatOfTheReferences) {
  EXPECT_NEAR(proportion_error(25, 100), std::sqrt(0.25 * 0.75 / 99), 1e-15);
  EXPECT_EQ(proportion_error(1, 1), 0);
}

TEST(Normal, TwoSided) { EXPECT_NEAR(normal_p(kZ95), 0.05, 1e-12); }

}  // namespace
}  // namespace edgelm::quality
