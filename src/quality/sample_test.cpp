// Samples repeat, and strata get their share.

#include "quality/sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace edgelm::quality {
namespace {

TEST(Sample, IsDrawnOnceAndRepeats) {
  const auto once = sample(1000, 100, 3);
  EXPECT_EQ(once, sample(1000, 100, 3));
  EXPECT_NE(once, sample(1000, 100, 4));
  EXPECT_EQ(std::set(once.begin(), once.end()).size(), 100U);
  EXPECT_EQ(sample(5, 0, 1), (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(sample(5, 9, 1).size(), 5U);
  EXPECT_TRUE(sample(0, 3, 1).empty());
}

// A larger sample holds the smaller one: more questions refine a score.
TEST(Sample, Grows) {
  const auto small = sample(1000, 50, 3);
  const auto large = sample(1000, 100, 3);
  EXPECT_TRUE(std::equal(small.begin(), small.end(), large.begin()));
}

TEST(Sample, StrataGetTheirShare) {
  std::vector<std::size_t> sizes(1319);
  for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] = (i * 7919) % 1319;  // a permutation
  const auto chosen = stratified_sample(sizes, 100, 10, 1);
  ASSERT_EQ(chosen.size(), 100U);
  std::vector<int> per_stratum(10);
  for (const std::size_t i : chosen) ++per_stratum[sizes[i] * 10 / 1319];
  for (const int count : per_stratum) EXPECT_NEAR(count, 10, 1);  // the edges are rounded
  EXPECT_EQ(chosen, stratified_sample(sizes, 100, 10, 1));
  EXPECT_EQ(stratified_sample(sizes, 7, 10, 1).size(), 7U);
  EXPECT_EQ(stratified_sample({}, 7, 10, 1).size(), 0U);
}

}  // namespace
}  // namespace edgelm::quality
