// Ratios, rank test and verdicts against values worked out by hand or published.

#include "stats/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace edgelm::stats {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(MannWhitney, ExactValues) {
  // No overlap with 3 and 3: one of 20 arrangements on each side.
  EXPECT_NEAR(mann_whitney(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5, 6}), 0.1, 1e-12);
  // 4 and 4: one of 70.
  EXPECT_NEAR(mann_whitney(std::vector<double>{5, 6, 7, 8}, std::vector<double>{1, 2, 3, 4}),
              2.0 / 70, 1e-12);
  // U = 1 with 3 and 3: two arrangements of 20 have U <= 1.
  EXPECT_NEAR(mann_whitney(std::vector<double>{1, 2, 4}, std::vector<double>{3, 5, 6}), 0.2, 1e-12);
  // Critical value of the two-sided 5 % table for 5 and 5 is U = 2 (p = 8/252), not 3 (14/252).
  EXPECT_NEAR(mann_whitney(std::vector<double>{1, 2, 3, 4, 7}, std::vector<double>{5, 6, 8, 9, 10}),
              8.0 / 252, 1e-12);
  EXPECT_DOUBLE_EQ(mann_whitney(std::vector<double>{1, 4}, std::vector<double>{2, 3}), 1);
  EXPECT_DOUBLE_EQ(mann_whitney(std::vector<double>{}, std::vector<double>{2, 3}), 1);
}

TEST(MannWhitney, TiesAndManySamples) {
  const std::vector<double> same(30, 2.0);
  EXPECT_DOUBLE_EQ(mann_whitney(same, same), 1);
  // 25 and 25 without overlap: z = (312.5 - 0.5) / sqrt(25 * 25 * 51 / 12) = 6.0537.
  std::vector<double> low;
  std::vector<double> high;
  for (int i = 0; i < 25; ++i) {
    low.push_back(i);
    high.push_back(100 + i);
  }
  EXPECT_NEAR(mann_whitney(low, high), std::erfc(6.05366 / std::sqrt(2.0)), 1e-12);
  // The approximation meets the exact value where both apply.
  const std::vector<double> a = {1, 3, 5, 7, 9, 11, 13, 15, 17, 19};
  const std::vector<double> b = {6, 8, 10, 12, 14, 16, 18, 20, 22, 24};
  std::vector<double> tied = b;
  tied.back() = tied[8];  // a tie beyond all of a: U stays, the approximation is taken
  EXPECT_NEAR(mann_whitney(a, tied), mann_whitney(a, b), 0.01);
}

TEST(Holm, StepsDown) {
  EXPECT_THAT(holm(std::vector<double>{0.01, 0.04, 0.03, 0.005}),
              ElementsAre(DoubleNear(0.03, 1e-12), DoubleNear(0.06, 1e-12), DoubleNear(0.06, 1e-12),
                          DoubleNear(0.02, 1e-12)));
  EXPECT_THAT(holm(std::vector<double>{0.9, 0.8}), ElementsAre(1, 1));
  EXPECT_TRUE(holm({}).empty());
}

std::vector<double> noisy(double center, std::uint32_t seed, int n) {
  std::vector<double> samples;
  for (int i = 0; i < n; ++i) {
    seed = seed * 1664525U + 1013904223U;
    samples.push_back(center * (1 + (static_cast<double>(seed >> 8) / (1U << 24) - 0.5) * 0.04));
  }
  return samples;
}

Verdict verdict(const Ratio& ratio, bool higher = true) {
  return judge(ratio, ratio.p_value, 0.03, higher);
}

TEST(Ratio, FindsAChangeBeyondTheThreshold) {
  const std::vector<double> before = noisy(100, 1, 20);
  const Ratio faster = independent_ratio(before, noisy(110, 2, 20));
  EXPECT_NEAR(faster.ratio, 1.1, 0.02);
  EXPECT_LT(faster.low, faster.ratio);
  EXPECT_GT(faster.high, faster.ratio);
  EXPECT_EQ(verdict(faster), Verdict::kBetter);
  EXPECT_EQ(verdict(faster, false), Verdict::kWorse);
  EXPECT_EQ(verdict(independent_ratio(before, noisy(90, 3, 20))), Verdict::kWorse);
  EXPECT_EQ(verdict(independent_ratio(before, noisy(100, 4, 20))), Verdict::kNoChange);
  // Sure, but small.
  EXPECT_NE(verdict(independent_ratio(before, noisy(102.5, 5, 20))), Verdict::kBetter);
}

TEST(Ratio, FewOrWildSamplesDecideNothing) {
  EXPECT_EQ(
      verdict(independent_ratio(std::vector<double>{100, 101}, std::vector<double>{120, 121})),
      Verdict::kUndecided);
  EXPECT_EQ(verdict(independent_ratio(std::vector<double>{60, 100, 140, 90, 130, 70},
                                      std::vector<double>{55, 115, 150, 80, 120, 95})),
            Verdict::kUndecided);
  const Ratio none = independent_ratio(std::vector<double>{100}, std::vector<double>{90, 91});
  EXPECT_TRUE(std::isnan(none.ratio));
  EXPECT_EQ(verdict(none), Verdict::kUndecided);
  EXPECT_EQ(verdict(independent_ratio(std::vector<double>{0, 1, 2}, std::vector<double>{1, 2, 3})),
            Verdict::kUndecided);
}

// Blocks that drift together: pairs see the change that independent samples cannot.
TEST(Ratio, PairsCancelWhatTheyShare) {
  std::vector<double> before;
  std::vector<double> after;
  for (int i = 0; i < 12; ++i) {
    before.push_back(100.0 + 20 * i);
    after.push_back((100.0 + 20 * i) * (1.06 + 0.001 * (i % 3)));
  }
  EXPECT_EQ(verdict(independent_ratio(before, after)), Verdict::kUndecided);
  const Ratio paired = paired_ratio(before, after);
  EXPECT_NEAR(paired.ratio, 1.061, 0.001);
  EXPECT_NEAR(paired.p_value, 2 / 4096.0, 1e-9);
  EXPECT_EQ(verdict(paired), Verdict::kBetter);
}

// With no true difference, "worse" is as rare as the level promises.
TEST(Ratio, FalseAlarmsAreRare) {
  int alarms = 0;
  for (std::uint32_t trial = 0; trial < 200; ++trial) {
    const Verdict v = verdict(
        independent_ratio(noisy(100, trial * 977 + 1, 10), noisy(100, trial * 1777 + 7, 10)));
    alarms += v == Verdict::kBetter || v == Verdict::kWorse ? 1 : 0;
  }
  EXPECT_LE(alarms, 4);
}

}  // namespace
}  // namespace edgelm::stats
