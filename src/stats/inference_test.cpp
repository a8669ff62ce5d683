// Published and exactly computable values.

#include "stats/inference.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace edgelm::stats {
namespace {

TEST(Inference, WilsonInterval) {
  // Newcombe 1998, table I: 81 of 263 and 15 of 148; 0 of 20 and 1 of 29.
  const auto near = [](Interval got, double low, double high) {
    EXPECT_NEAR(got.low, low, 5e-5);
    EXPECT_NEAR(got.high, high, 5e-5);
  };
  near(wilson(81, 263), 0.2553, 0.3662);
  near(wilson(15, 148), 0.0624, 0.1605);
  near(wilson(0, 20), 0.0000, 0.1611);
  near(wilson(1, 29), 0.0061, 0.1718);
  near(wilson(0, 0), 0, 1);
}

TEST(Inference, StudentDistribution) {
  EXPECT_NEAR(student_two_sided(1, 1), 0.5, 1e-12);  // Cauchy
  EXPECT_NEAR(student_two_sided(12.7062047, 1), 0.05, 1e-8);
  EXPECT_NEAR(student_two_sided(2.2281389, 10), 0.05, 1e-8);
  EXPECT_NEAR(student_975(4), 2.7764451, 1e-6);
  EXPECT_NEAR(student_975(1e6), 1.959966, 1e-5);
  EXPECT_EQ(student_two_sided(0, 3), 1.0);
}

TEST(Inference, PairedDifferenceOfStudentsSleepData) {
  // Student 1908: ten patients, two drugs. t = -4.0621, p = 0.002833, 95 % -2.4599 to -0.7001.
  const std::array first{0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const std::array second{1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const PairedDifference difference = paired_difference(first, second);
  EXPECT_NEAR(difference.mean, -1.58, 1e-12);
  EXPECT_NEAR(difference.mean / difference.standard_error, -4.0621, 5e-5);
  EXPECT_NEAR(difference.p_value, 0.002833, 5e-7);
  EXPECT_NEAR(difference.low, -2.4598858, 1e-6);
  EXPECT_NEAR(difference.high, -0.7001142, 1e-6);
}

TEST(Inference, PairedDifferenceOfFewAndEqual) {
  EXPECT_EQ(paired_difference(std::array{1.0}, std::array{2.0}).p_value, 1.0);
  EXPECT_TRUE(std::isinf(paired_difference(std::array{1.0}, std::array{2.0}).high));
  const PairedDifference same = paired_difference(std::array{1.0, 2.0}, std::array{1.0, 2.0});
  EXPECT_EQ(same.p_value, 1.0);
  EXPECT_EQ(same.standard_error, 0.0);
}

TEST(Inference, SignTest) {
  EXPECT_NEAR(sign_test(1, 10), 22.0 / 1024, 1e-12);  // 2 (1 + 10) / 2^10
  EXPECT_NEAR(sign_test(9, 10), 22.0 / 1024, 1e-12);
  EXPECT_EQ(sign_test(5, 10), 1.0);
  EXPECT_EQ(sign_test(0, 0), 1.0);
}

}  // namespace
}  // namespace edgelm::stats
