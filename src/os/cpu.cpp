// Processor identity: CPUID on x86, the auxiliary vector on ARM, /proc and the affinity mask on
// both.

#include "os/cpu.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <tuple>

#include "base/target.h"

#if defined(EDGELM_ARM)
#include <sys/auxv.h>
#endif

namespace edgelm::os {
namespace {

CpuFeatures detect() {
  CpuFeatures features;
#if defined(EDGELM_X86)
  // GCC and clang read CPUID and XGETBV: a set counts only when the system saves its registers.
  __builtin_cpu_init();
  features.avx2 = __builtin_cpu_supports("avx2") != 0;
  features.fma = __builtin_cpu_supports("fma") != 0;
  features.avx512_vnni =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
      __builtin_cpu_supports("avx512vnni") != 0;
  // F16C has no name in GCC 12's __builtin_cpu_supports; CPUID leaf 1, ECX bit 29.
  unsigned eax = 1;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  features.f16c = features.avx2 && ((ecx >> 29) & 1U) != 0;
  // Nor has AVX-VNNI: leaf 7, subleaf 1, EAX bit 4. Leaf 7, subleaf 0, EAX is the last subleaf.
  eax = 7;
  ecx = 0;
  __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  if (features.avx2 && eax >= 1) {
    eax = 7;
    ecx = 1;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    features.avx_vnni = ((eax >> 4) & 1U) != 0;
  }
#elif defined(EDGELM_ARM)
  // Bits of linux/arch/arm64/include/uapi/asm/hwcap.h.
  constexpr unsigned long kAsimdDotprod = 1UL << 20;
  constexpr unsigned long kI8mm = 1UL << 13;
  features.neon = true;
  features.dotprod = (getauxval(AT_HWCAP) & kAsimdDotprod) != 0;
  features.i8mm = (getauxval(AT_HWCAP2) & kI8mm) != 0;
#endif
  return features;
}

// Value of the first "key : value" line of /proc/cpuinfo.
std::string cpuinfo_value(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
    if (begin != std::string::npos) return line.substr(begin);
  }
  return {};
}

cpu_set_t affinity() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) CPU_SET(0, &mask);
  return mask;
}

int read_int(const std::string& path, int fallback) {
  std::ifstream file(path);
  int value = fallback;
  return file >> value ? value : fallback;
}

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

std::string cpu_name() {
  if (std::string name = cpuinfo_value("model name"); !name.empty()) return name;
  const std::string implementer = cpuinfo_value("CPU implementer");
  const std::string part = cpuinfo_value("CPU part");
  if (!implementer.empty()) return "ARM implementer " + implementer + " part " + part;
  return "unknown";
}

int usable_cpus() {
  const cpu_set_t mask = affinity();
  return std::max(1, CPU_COUNT(&mask));
}

int usable_cores() {
  const cpu_set_t mask = affinity();
  std::set<std::tuple<int, int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask)) continue;
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
    // Without topology files every processor counts as a core of its own. On ARM boards the numbers
    // of cores begin anew in each cluster.
    cores.emplace(read_int(folder + "physical_package_id", 0), read_int(folder + "cluster_id", 0),
                  read_int(folder + "core_id", cpu));
  }
  return std::max(1, static_cast<int>(cores.size()));
}

std::uint64_t last_level_cache_bytes() {
  std::uint64_t largest = 0;
  for (int index = 0; index < 8; ++index) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) +
                       "/size");
    std::uint64_t value = 0;
    char unit = 'B';
    if (!(file >> value)) continue;
    file >> unit;
    if (unit == 'K') value <<= 10;
    if (unit == 'M') value <<= 20;
    largest = std::max(largest, value);
  }
  return largest;
}

}  // namespace edgelm::os
