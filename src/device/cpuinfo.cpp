// What /proc/cpuinfo alone tells: the architecture and its instruction sets. Read as text even for
// this machine, so that a recorded one is described by the same lines.

#include <set>

#include "device/describe_parts.h"
#include "device/system_text.h"

namespace edgelm::device {
namespace {

bool has_all(const std::set<std::string_view>& flags, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (!flags.contains(name)) return false;
  return true;
}

std::set<std::string_view> flags_of(std::string_view cpuinfo) {
  std::string_view line = value_at(cpuinfo, "flags", ':');      // x86
  if (line.empty()) line = value_at(cpuinfo, "Features", ':');  // ARM
  const auto words = words_of(line);
  return {words.begin(), words.end()};
}

}  // namespace

std::string read_cpuinfo(const os::SystemFiles& files) {
  return files.read("/proc/cpuinfo").value_or("");
}

std::string architecture_of(std::string_view cpuinfo) {
  const auto flags = flags_of(cpuinfo);
  if (!value_at(cpuinfo, "vendor_id", ':').empty() && !flags.empty())
    return flags.contains("lm") ? "x86_64" : "i686";
  if (!value_at(cpuinfo, "CPU implementer", ':').empty())
    return flags.contains("asimd") ? "aarch64" : "armv7l";
  const std::string_view isa = value_at(cpuinfo, "isa", ':');
  if (isa.starts_with("rv64")) return "riscv64";
  return "unknown";
}

// The sets of kernels/kernels.cpp and what each needs.
std::vector<std::string> isa_of(std::string_view cpuinfo) {
  const auto flags = flags_of(cpuinfo);
  const std::string architecture = architecture_of(cpuinfo);
  std::vector<std::string> sets;
  if (architecture == "x86_64" && has_all(flags, {"avx2", "fma", "f16c"})) {
    if (has_all(flags, {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"}))
      sets.emplace_back("avx512");
    if (flags.contains("avx_vnni")) sets.emplace_back("avxvnni");
    sets.emplace_back("avx2");
  }
  if (architecture == "aarch64") {
    if (has_all(flags, {"asimddp", "i8mm"})) sets.emplace_back("i8mm");
    if (flags.contains("asimddp")) sets.emplace_back("dotprod");
    sets.emplace_back("neon");
  }
  sets.emplace_back("scalar");
  return sets;
}

std::vector<std::uint32_t> online_cpus(const os::SystemFiles& files, std::string_view cpuinfo) {
  const auto online = files.line("/sys/devices/system/cpu/online");
  if (online) {
    if (auto cpus = cpus_of_list(*online)) return *std::move(cpus);
  }
  std::vector<std::uint32_t> cpus;
  for (const std::string_view line : lines_of(cpuinfo)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || trimmed(line.substr(0, colon)) != "processor") continue;
    const auto number = parse_unsigned(trimmed(line.substr(colon + 1)));
    if (number && *number < kMaxCpus && cpus.size() < kMaxCpus)
      cpus.push_back(static_cast<std::uint32_t>(*number));
  }
  if (cpus.empty()) cpus.push_back(0);  // something wrote these files
  return cpus;
}

}  // namespace edgelm::device
