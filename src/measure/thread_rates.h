#pragma once
// Rates of loops in which no thread waits for another, on a machine that others use too: each
// thread's work by its own processor time, added up. A thread that was set aside for a while counts
// with what it did while it ran. Used by kernel_probe.cpp and device_speed.cpp for what arithmetic
// allows; never for memory, which threads share, nor for what waits at barriers.

#include <time.h>

#include <cstdint>
#include <vector>

#include "threads/pool.h"

namespace edgelm::measure {

// Of the calling thread.
inline double thread_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Runs loop(member) on n_threads threads; each does `work_per_thread`. The sum of their rates.
template <class Loop>
double sum_of_rates(threads::ThreadPool& pool, std::uint32_t n_threads, double work_per_thread,
                    Loop&& loop) {
  std::vector<double> rates(n_threads);
  auto timed = [&](threads::ThreadPool::Member& member) {
    const double start = thread_cpu_seconds();
    loop(member);
    const double seconds = thread_cpu_seconds() - start;
    rates[member.index()] = work_per_thread / (seconds > 1e-9 ? seconds : 1e-9);
  };
  pool.run(n_threads, timed);
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace edgelm::measure
