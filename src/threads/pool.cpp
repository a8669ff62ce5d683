// The SPMD pool: an epoch counter starts a run, a counter ends it, and a phase counter is the
// barrier. All waits go through wait_while_equal: spin a little, then sleep on the futex behind
// std::atomic::wait.

#include "threads/pool.h"

#include <algorithm>

#include "base/target.h"
#include "os/clock.h"

namespace edgelm::threads {
namespace {

constexpr std::int64_t kSpinNs = 50'000;

inline void cpu_relax() {
#if defined(EDGELM_X86)
  _mm_pause();
#elif defined(EDGELM_ARM)
  __asm__ __volatile__("yield");
#endif
}

// Returns the first value seen that differs from `old`.
std::uint32_t wait_while_equal(const std::atomic<std::uint32_t>& word, std::uint32_t old) {
  const std::int64_t deadline = os::now_ns() + kSpinNs;
  for (;;) {
    for (int i = 0; i < 64; ++i) {
      const std::uint32_t value = word.load(std::memory_order_acquire);
      if (value != old) return value;
      cpu_relax();
    }
    if (os::now_ns() > deadline) break;
  }
  for (;;) {
    word.wait(old, std::memory_order_acquire);
    const std::uint32_t value = word.load(std::memory_order_acquire);
    if (value != old) return value;
  }
}

}  // namespace

ThreadPool::ThreadPool(std::uint32_t n_threads) : shares_(std::max(n_threads, 1U)) {
  const std::uint32_t n_workers = std::max(n_threads, 1U) - 1;
  workers_.reserve(n_workers);
  try {
    for (std::uint32_t i = 0; i < n_workers; ++i)
      workers_.emplace_back([this, i] { worker(i + 1); });
  } catch (...) {  // the system has no more threads: those that run must end before the error does
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stopping_ = true;  // published by the release below
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::worker(std::uint32_t index) {
  std::uint32_t epoch = 0;
  for (;;) {
    epoch = wait_while_equal(epoch_, epoch);
    if (stopping_) return;
    // Every worker answers every epoch, also when this run does not need it: so the caller knows
    // that nobody still reads work_ and n_members_ when it returns.
    if (index < n_members_) {
      Member member(*this, index, n_members_);
      work_(context_, member);
    }
    finished_.fetch_add(1, std::memory_order_release);
    finished_.notify_one();
  }
}

void ThreadPool::run(std::uint32_t n_members, Work work, void* context) {
  n_members = std::clamp(n_members, 1U, size());
  Member self(*this, 0, n_members);
  if (n_members == 1) {  // the workers sleep on
    work(context, self);
    loops_ = self.loop_;
    return;
  }
  const auto n_workers = static_cast<std::uint32_t>(workers_.size());
  work_ = work;
  context_ = context;
  n_members_ = n_members;
  finished_.store(0, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  epoch_.notify_all();
  work(context, self);
  std::uint32_t finished = finished_.load(std::memory_order_acquire);
  while (finished != n_workers) finished = wait_while_equal(finished_, finished);
  loops_ = self.loop_;
}

// A counter that stands at an earlier loop means that nothing of this loop is taken: whoever comes
// first moves it on, be it a thief. A counter at a later loop can only be seen by a member that has
// nothing left to take here: nobody enters a loop before all pieces of the last one are taken.
std::size_t ThreadPool::take(std::uint32_t owner, std::uint64_t loop, std::size_t begin,
                             std::size_t end) {
  constexpr unsigned kPieceBits = 24;
  constexpr std::uint64_t kPieceMask = (std::uint64_t{1} << kPieceBits) - 1;
  std::atomic<std::uint64_t>& next = shares_[owner].next;
  std::uint64_t seen = next.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t at = seen >> kPieceBits;
    if (at > loop) return end;
    const std::size_t piece = at == loop ? static_cast<std::size_t>(seen & kPieceMask) : begin;
    if (piece >= end) return end;
    if (next.compare_exchange_weak(seen, loop << kPieceBits | (piece + 1),
                                   std::memory_order_relaxed))
      return piece;
  }
}

void ThreadPool::barrier(std::uint32_t count) {
  if (count == 1) return;
  const std::uint32_t phase = phase_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
    arrived_.store(0, std::memory_order_relaxed);
    phase_.fetch_add(1, std::memory_order_release);
    phase_.notify_all();
  } else {
    wait_while_equal(phase_, phase);
  }
}

}  // namespace edgelm::threads
