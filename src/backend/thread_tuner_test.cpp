// The tuner tries every candidate equally often and settles on the fastest median.

#include "backend/cpu/thread_tuner.h"

#include <gtest/gtest.h>

#include <map>

namespace edgelm::backend {
namespace {

// Feeds steps whose time depends on the thread count until the tuner settles; returns its choice.
std::uint32_t settle(ThreadTuner tuner, const std::map<std::uint32_t, std::int64_t>& step_ns,
                     std::map<std::uint32_t, int>* tried = nullptr) {
  for (int i = 0; i < 100 && !tuner.settled(); ++i) {
    const std::uint32_t threads = tuner.threads();
    if (tried != nullptr) ++(*tried)[threads];
    // Every seventh step is hit by something else on the machine.
    tuner.record(step_ns.at(threads) * (i % 7 == 6 ? 20 : 1));
  }
  EXPECT_TRUE(tuner.settled());
  return tuner.threads();
}

TEST(ThreadTuner, PicksTheFastestMedian) {
  std::map<std::uint32_t, int> tried;
  EXPECT_EQ(settle(ThreadTuner(4), {{4, 130}, {2, 100}, {1, 180}}, &tried), 2U);
  EXPECT_EQ(tried, (std::map<std::uint32_t, int>{{4, 6}, {2, 5}, {1, 5}}));  // 4 also warms up
  EXPECT_EQ(settle(ThreadTuner(4), {{4, 50}, {2, 100}, {1, 180}}), 4U);
  EXPECT_EQ(settle(ThreadTuner(2), {{2, 100}, {1, 60}}), 1U);
}

TEST(ThreadTuner, FewerThreadsWinNearTies) {
  EXPECT_EQ(settle(ThreadTuner(4), {{4, 1000}, {2, 1010}, {1, 2000}}), 2U);
  EXPECT_EQ(settle(ThreadTuner(4), {{4, 1000}, {2, 1050}, {1, 2000}}), 4U);
}

TEST(ThreadTuner, OneCandidateIsNotMeasured) {
  EXPECT_TRUE(ThreadTuner(1).settled());
  EXPECT_EQ(ThreadTuner(0).threads(), 1U);
  ThreadTuner fixed = ThreadTuner::fixed(3);
  EXPECT_TRUE(fixed.settled());
  fixed.record(1);
  EXPECT_EQ(fixed.threads(), 3U);
}

}  // namespace
}  // namespace edgelm::backend
