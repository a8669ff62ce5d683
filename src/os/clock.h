#pragma once
// Monotonic time in nanoseconds, for measuring; never goes back, unrelated to the time of day.

#include <cstdint>

namespace edgelm::os {

std::int64_t now_ns();

inline double ns_to_ms(std::int64_t ns) { return static_cast<double>(ns) * 1e-6; }
inline double ns_to_s(std::int64_t ns) { return static_cast<double>(ns) * 1e-9; }

}  // namespace edgelm::os
