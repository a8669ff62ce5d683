// The monotonic clock.

#include "os/clock.h"

#include <chrono>

namespace edgelm::os {

std::int64_t now_ns() {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_start).count();
}

}  // namespace edgelm::os
