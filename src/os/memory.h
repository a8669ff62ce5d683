#pragma once
// Memory figures of this process and machine, in bytes; 0 where the system does not tell.

#include <cstdint>

namespace edgelm::os {

std::uint64_t peak_rss_bytes();          // largest resident set of this process so far (VmHWM)
std::uint64_t current_rss_bytes();       // resident set now (VmRSS)
std::uint64_t total_memory_bytes();      // physical memory of the machine, or its cgroup's limit
std::uint64_t available_memory_bytes();  // what can be allocated without swapping (MemAvailable)

}  // namespace edgelm::os
