// Memory figures from /proc and the control group.

#include "os/memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace edgelm::os {
namespace {

// Bytes of a "Key:   123 kB" line; 0 when absent.
std::uint64_t proc_kilobytes(const char* path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    std::uint64_t value = 0;
    if (word == key && file >> value) return value * 1024;
  }
  return 0;
}

// A figure of the version 2 control group; 0 when there is none.
std::uint64_t cgroup_bytes(const char* path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? value : 0;  // "max" does not parse: no limit
}

std::uint64_t cgroup_limit_bytes() { return cgroup_bytes("/sys/fs/cgroup/memory.max"); }

// What the control group leaves, counting cached file pages as free: it drops them on demand.
std::uint64_t cgroup_available_bytes(std::uint64_t limit) {
  const std::uint64_t used = cgroup_bytes("/sys/fs/cgroup/memory.current");
  std::ifstream file("/sys/fs/cgroup/memory.stat");
  std::uint64_t cached = 0;
  std::string word;
  while (file >> word)
    if (word == "inactive_file" || word == "active_file") {
      std::uint64_t value = 0;
      if (file >> value) cached += value;
    }
  const std::uint64_t kept = used - std::min(used, cached);
  return std::max<std::uint64_t>(limit - std::min(limit, kept), 1);  // 0 would mean "unknown"
}

}  // namespace

std::uint64_t peak_rss_bytes() { return proc_kilobytes("/proc/self/status", "VmHWM:"); }
std::uint64_t current_rss_bytes() { return proc_kilobytes("/proc/self/status", "VmRSS:"); }

std::uint64_t total_memory_bytes() {
  const std::uint64_t physical = proc_kilobytes("/proc/meminfo", "MemTotal:");
  const std::uint64_t limit = cgroup_limit_bytes();
  return limit != 0 ? std::min(limit, physical) : physical;
}

std::uint64_t available_memory_bytes() {
  const std::uint64_t available = proc_kilobytes("/proc/meminfo", "MemAvailable:");
  const std::uint64_t limit = cgroup_limit_bytes();
  return limit != 0 ? std::min(available, cgroup_available_bytes(limit)) : available;
}

}  // namespace edgelm::os
