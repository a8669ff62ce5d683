// The yardsticks of conformance_test.cpp, so that it is known to be able to fail.
#include "golden.h"

#include <gtest/gtest.h>

#include <limits>

#include "fixture_spec.h"

namespace edgelm::conformance {
namespace {

TEST(Golden, RelativeErrorIsOfTheNorm) {
  const float ours[] = {3, 5};
  const double theirs[] = {3, 4};
  EXPECT_DOUBLE_EQ(relative_error(ours, theirs), 0.2);
}

TEST(Golden, NotANumberIsNeverBelowALimit) {
  const float ours[] = {3, std::numeric_limits<float>::quiet_NaN()};
  const double theirs[] = {3, 4};
  EXPECT_FALSE(relative_error(ours, theirs) < 1e9);
}

TEST(Golden, TopMayDifferOnlyWithinTheError) {
  const double theirs[] = {1, 2, 3};
  const float other_top[] = {1, 3.05F, 2.95F};  // off by 1.05, more than the gap of 1
  const float same[] = {1, 2.4F, 2.6F};
  EXPECT_TRUE(same_top(other_top, theirs));
  EXPECT_TRUE(same_top(same, theirs));
  const double clear[] = {1, 2, 4};
  const float swapped[] = {1, 3.1F, 3.0F};  // off by 1.1, less than the gap of 2
  EXPECT_FALSE(same_top(swapped, clear));
}

TEST(Golden, EveryModelHasOneOfItsOwn) {
  for (const FixtureSpec& spec : fixture_specs()) {
    const Golden golden = read_golden(spec.name);
    EXPECT_EQ(golden.ids, fixture_ids(spec)) << spec.name;
    EXPECT_EQ(golden.positions.size(), golden.logits.size()) << spec.name;
  }
  const std::vector<double> f32 = read_golden("llama_f32").logits[0];
  const std::vector<double> f16 = read_golden("llama_f16").logits[0];
  EXPECT_GT(relative_error(std::vector<float>(f16.begin(), f16.end()), f32), 0.5);
}

}  // namespace
}  // namespace edgelm::conformance
