#pragma once
// Whether the program runs under qemu-user on a machine of another kind, whose /proc/cpuinfo it
// sees: tests that compare that file with the instructions at hand, or speeds with each other, skip
// then.

#include "os/system_files.h"

namespace edgelm::test {

inline bool is_emulated() {
#if defined(__aarch64__)
  // x86 names a vendor there, ARM an implementer.
  const auto cpuinfo = os::system_files()->read("/proc/cpuinfo");
  return cpuinfo && cpuinfo->find("vendor_id") != std::string::npos;
#else
  return false;
#endif
}

}  // namespace edgelm::test
