#pragma once
// Finds the number of threads that decodes fastest on this machine and model, by measuring the
// first steps themselves. Tokens do not depend on the thread count, so trying costs nothing but a
// few steps at a lesser speed: no calibration before the first token, no table of processors.
// (Decode is bound by memory: two cores of a small board often reach its limit, and the others only
// disturb.)

#include <cstdint>
#include <vector>

namespace edgelm::backend {

class ThreadTuner {
 public:
  // Candidates are n, n/2, n/4, ... 1. With one candidate nothing is measured.
  explicit ThreadTuner(std::uint32_t n_cores);
  // A fixed number, never measured.
  static ThreadTuner fixed(std::uint32_t n_threads);

  // Threads for the next decode step.
  [[nodiscard]] std::uint32_t threads() const { return candidates_[current_].threads; }
  [[nodiscard]] bool settled() const { return settled_; }

  // How long the step that threads() was asked for took. Allocates nothing.
  void record(std::int64_t step_ns);

 private:
  static constexpr std::uint32_t kSamples = 5;  // per candidate; the median counts
  struct Candidate {
    std::uint32_t threads = 1;
    std::uint32_t n_samples = 0;
    std::int64_t samples[kSamples] = {};
  };

  ThreadTuner() = default;
  void settle();

  std::vector<Candidate> candidates_;  // most threads first
  std::size_t current_ = 0;
  bool settled_ = false;
  bool warm_ = false;  // the first step pays for page faults and does not count
};

}  // namespace edgelm::backend
