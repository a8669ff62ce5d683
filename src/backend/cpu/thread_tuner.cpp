// Round-robin over the candidates, then the fastest median.

#include "backend/cpu/thread_tuner.h"

#include <algorithm>

namespace edgelm::backend {

ThreadTuner::ThreadTuner(std::uint32_t n_cores) {
  for (std::uint32_t n = std::max(n_cores, 1U); n > 0; n /= 2)
    candidates_.push_back({.threads = n});
  settled_ = candidates_.size() == 1;
}

ThreadTuner ThreadTuner::fixed(std::uint32_t n_threads) {
  ThreadTuner tuner;
  tuner.candidates_.push_back({.threads = n_threads});
  tuner.settled_ = true;
  return tuner;
}

void ThreadTuner::record(std::int64_t step_ns) {
  if (settled_) return;
  if (!warm_) {
    warm_ = true;
    return;
  }
  Candidate& candidate = candidates_[current_];
  candidate.samples[candidate.n_samples++] = step_ns;
  // Interleaved, so that a busy moment of the machine hits all candidates alike.
  current_ = (current_ + 1) % candidates_.size();
  if (candidates_[current_].n_samples == kSamples) settle();
}

void ThreadTuner::settle() {
  settled_ = true;
  std::int64_t best = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    Candidate& candidate = candidates_[i];
    std::sort(candidate.samples, candidate.samples + kSamples);
    const std::int64_t median = candidate.samples[kSamples / 2];
    // Fewer threads, which stand later, win ties of 3 %: they leave the cores to others.
    if (i == 0 || median * 100 < best * 103) current_ = i;
    best = i == 0 ? median : std::min(best, median);
  }
}

}  // namespace edgelm::backend
