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
// Every piece exactly once, whatever the members' speeds: some are slow on purpose, so that the
// others steal, and loops follow each other without a barrier.
TEST(ThreadPool, ShareOutGivesEveryPieceOnce) {
  constexpr std::size_t kLoops = 40;
  for (const std::uint32_t members : {1U, 2U, 3U, 5U}) {
    ThreadPool pool(5);
    for (const std::size_t n :
         {std::size_t{0}, std::size_t{1}, std::size_t{31}, std::size_t{1000}}) {
      for (const std::size_t grain : {std::size_t{1}, std::size_t{7}, std::size_t{32}}) {
        std::vector<std::atomic<int>> seen(kLoops * n);
        auto work = [&](ThreadPool::Member& member) {
          for (std::size_t loop = 0; loop < kLoops; ++loop) {
            member.share_out(n, grain, [&](std::size_t begin, std::size_t end) {
              ASSERT_LT(begin, end);
              ASSERT_EQ(begin % grain, 0U);
              ASSERT_LE(end - begin, grain);
              for (std::size_t i = begin; i < end; ++i) seen[loop * n + i].fetch_add(1);
              if (member.index() == loop % members) std::this_thread::yield();
            });
          }
        };
        pool.run(members, work);
        for (std::size_t i = 0; i < seen.size(); ++i)
          ASSERT_EQ(seen[i].load(), 1) << members << " members, item " << i << " of " << n;
      }
    }
  }
}

}  // namespace edgelm::threads
