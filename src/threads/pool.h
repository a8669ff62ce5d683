#pragma once
// A fixed set of worker threads that run one function together (SPMD), and the barrier between the
// steps of that function. Waiting spins at most 50 microseconds and then sleeps (futex), so idle
// workers cost nothing and two cores are not fought over.

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace edgelm::threads {

// The calling thread takes part as index 0. One run at a time; not re-entrant.
class ThreadPool {
 public:
  // n_threads >= 1 in all; n_threads - 1 workers are started. Throws std::system_error when the
  // system refuses one.
  explicit ThreadPool(std::uint32_t n_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] std::uint32_t size() const {
    return static_cast<std::uint32_t>(workers_.size()) + 1;
  }

  // What a member of a run knows about itself.
  class Member {
   public:
    [[nodiscard]] std::uint32_t index() const { return index_; }
    [[nodiscard]] std::uint32_t count() const { return count_; }
    // Returns when all members have arrived; writes before it are visible after it.
    void barrier() { pool_.barrier(count_); }
    // This member's share [begin, end) of n items in multiples of `grain`.
    struct Range {
      std::size_t begin, end;
    };
    [[nodiscard]] Range share(std::size_t n, std::size_t grain = 1) const {
      const std::size_t units = (n + grain - 1) / grain;
      const std::size_t begin = units * index_ / count_ * grain;
      const std::size_t end = units * (index_ + 1) / count_ * grain;
      return {begin < n ? begin : n, end < n ? end : n};
    }

    // Shares n items out in pieces of `grain`, f(begin, end) at a time: every member first takes
    // the pieces of its own share in order, then those that slower members have not begun. All
    // members call it alike; when it returns all pieces are taken, and a barrier tells when they
    // are done.
    template <class F>
    void share_out(std::size_t n, std::size_t grain, F&& f) {
      ++loop_;
      const std::size_t pieces = (n + grain - 1) / grain;
      for (std::uint32_t i = 0; i < count_; ++i) {
        const std::uint32_t owner = (index_ + i) % count_;
        const std::size_t end = pieces * (owner + 1) / count_;
        for (;;) {
          const std::size_t piece = pool_.take(owner, loop_, pieces * owner / count_, end);
          if (piece == end) break;
          const std::size_t begin = piece * grain;
          f(begin, begin + grain < n ? begin + grain : n);
        }
      }
    }

   private:
    friend class ThreadPool;
    Member(ThreadPool& pool, std::uint32_t index, std::uint32_t count)
        : pool_(pool), index_(index), count_(count), loop_(pool.loops_) {}
    ThreadPool& pool_;
    std::uint32_t index_;
    std::uint32_t count_;
    std::uint64_t loop_;  // calls of share_out before this one, over all runs
  };

  // Calls work(context, member) on the first `n_members` threads (1 <= n_members <= size()) and
  // returns when all are done. `work` must not throw. Allocates nothing.
  using Work = void (*)(void* context, Member& member);
  void run(std::uint32_t n_members, Work work, void* context);

  // The same for a callable object: run(n, [&](ThreadPool::Member& m) { ... }).
  template <class F>
  void run(std::uint32_t n_members, F& function) {
    run(
        n_members, [](void* context, Member& member) { (*static_cast<F*>(context))(member); },
        &function);
  }

 private:
  void worker(std::uint32_t index);
  void stop();
  void barrier(std::uint32_t count);
  // The next piece of [begin, end) of the owner's share in a loop; `end` when all are taken.
  std::size_t take(std::uint32_t owner, std::uint64_t loop, std::size_t begin, std::size_t end);

  // Separate cache lines: each is written by different threads at different times.
  alignas(64) std::atomic<std::uint32_t> epoch_{0};     // a new run starts
  alignas(64) std::atomic<std::uint32_t> finished_{0};  // members done with this run
  alignas(64) std::atomic<std::uint32_t> arrived_{0};   // members waiting at the barrier
  alignas(64) std::atomic<std::uint32_t> phase_{0};     // barriers passed
  // Per member: the loop it counts for (upper 40 bits) and the next piece of its share.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> next{0};
  };
  std::vector<Share> shares_;
  std::uint64_t loops_ = 0;
  Work work_ = nullptr;
  void* context_ = nullptr;
  std::uint32_t n_members_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace edgelm::threads
