// The pool runs every member once, barriers separate phases, and sleeping workers wake up.

#include "threads/pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace edgelm::threads {
namespace {

TEST(ThreadPool, EveryMemberRunsOnce) {
  ThreadPool pool(4);
  for (std::uint32_t members = 1; members <= 4; ++members) {
    std::vector<int> hits(4, 0);
    auto work = [&](ThreadPool::Member& member) {
      EXPECT_EQ(member.count(), members);
      ++hits[member.index()];
    };
    for (int repeat = 0; repeat < 50; ++repeat) pool.run(members, work);
    for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(hits[i], i < members ? 50 : 0);
  }
}

TEST(ThreadPool, BarrierSeparatesPhases) {
  ThreadPool pool(3);
  constexpr int kRounds = 2000;
  std::vector<int> value(3, 0);
  auto work = [&](ThreadPool::Member& member) {
    for (int round = 0; round < kRounds; ++round) {
      value[member.index()] = round;
      member.barrier();
      for (const int seen : value) ASSERT_EQ(seen, round);
      member.barrier();
    }
  };
  pool.run(3, work);
}

TEST(ThreadPool, WakesAfterSleeping) {
  ThreadPool pool(2);
  std::vector<int> hits(2, 0);
  auto work = [&](ThreadPool::Member& member) {
    // Longer than the spin on one side, so that the other side has to sleep and be woken.
    if (member.index() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    member.barrier();
    ++hits[member.index()];
  };
  for (int i = 0; i < 20; ++i) {
    pool.run(2, work);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_EQ(hits, (std::vector<int>{20, 20}));
}

TEST(ThreadPool, SharesCoverAllItemsOnce) {
  ThreadPool pool(3);
  for (const std::size_t n : {0UL, 1UL, 2UL, 7UL, 64UL, 65UL}) {
    for (const std::size_t grain : {1UL, 4UL, 16UL}) {
      std::vector<int> hits(n, 0);
      auto work = [&](ThreadPool::Member& member) {
        const auto range = member.share(n, grain);
        for (std::size_t i = range.begin; i < range.end; ++i) ++hits[i];
      };
      pool.run(3, work);
      for (const int hit : hits) ASSERT_EQ(hit, 1);
    }
  }
}

TEST(ThreadPool, MoreMembersThanThreadsIsClamped) {
  ThreadPool pool(1);
  int calls = 0;
  auto work = [&](ThreadPool::Member& member) {
    member.barrier();
    ++calls;
  };
  pool.run(8, work);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace edgelm::threads
