// The processor: its name, its cores and kinds of core, its clocks. Kinds ("clusters") are told
// apart by part number, capacity and maximum clock; differences below a tenth are those of favoured
// cores, not of kinds.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/printable.h"
#include "device/describe_parts.h"
#include "device/system_text.h"

namespace edgelm::device {
namespace {

constexpr double kMostHz = 20e9;

std::string cpu_folder(std::uint32_t cpu) {
  return "/sys/devices/system/cpu/cpu" + std::to_string(cpu);
}

// kHz in a file, as Hz.
Known<double> clock_line(const os::SystemFiles& files, const std::string& path) {
  auto khz = number_line(files, path, 1, kMostHz * 1e-3);
  if (!khz) return khz;
  return *khz * 1e3;
}

std::optional<std::uint32_t> parse_hex(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value, 16);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return value;
}

// Part names by processor: cpuinfo gives implementer and part below each "processor" line.
std::map<std::uint32_t, std::string> parts_by_cpu(std::string_view cpuinfo) {
  std::map<std::uint32_t, std::string> parts;
  std::uint32_t cpu = 0;
  std::uint32_t implementer = 0;
  for (const std::string_view line : lines_of(cpuinfo)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view key = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (key == "processor") {
      cpu = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(parse_unsigned(value).value_or(kMaxCpus), kMaxCpus));
    } else if (key == "CPU implementer") {
      implementer = parse_hex(value).value_or(0);
    } else if (key == "CPU part") {
      const std::uint32_t part = parse_hex(value).value_or(0);
      const std::string_view name = arm_part_name(implementer, part);
      parts[cpu] = name.empty() ? fmt::format("ARM {:#x}:{:#x}", implementer, part) : name;
    }
  }
  return parts;
}

bool alike(const Known<double>& a, const Known<double>& b) {
  if (a.has_value() != b.has_value()) return false;
  return !a || std::abs(*a - *b) <= 0.1 * std::max(*a, *b);
}

Known<double> as_double(const Known<std::uint32_t>& value) {
  if (!value) return not_available("");
  return *value;
}

bool same_kind(const CpuCluster& a, const CpuCluster& b) {
  return a.part == b.part && alike(a.max_hz, b.max_hz) &&
         alike(as_double(a.capacity), as_double(b.capacity));
}

CpuCluster describe_one(const os::SystemFiles& files, std::uint32_t cpu,
                        const std::map<std::uint32_t, std::string>& parts) {
  CpuCluster one;
  one.cpus = {cpu};
  if (const auto part = parts.find(cpu); part != parts.end()) {
    one.part = part->second;
  } else {
    one.part = not_available("processors of this architecture do not name their cores");
  }
  if (const auto hz = clock_line(files, cpu_folder(cpu) + "/cpufreq/cpuinfo_max_freq"))
    one.max_hz = *hz;
  if (const auto capacity = number_line(files, cpu_folder(cpu) + "/cpu_capacity", 1, 1024))
    one.capacity = static_cast<std::uint32_t>(*capacity);
  return one;
}

// Fastest first.
std::vector<CpuCluster> describe_clusters(const os::SystemFiles& files,
                                          const std::vector<std::uint32_t>& cpus,
                                          std::string_view cpuinfo) {
  const auto parts = parts_by_cpu(cpuinfo);
  std::vector<CpuCluster> clusters;
  for (const std::uint32_t cpu : cpus) {
    const CpuCluster one = describe_one(files, cpu, parts);
    const auto at = std::find_if(clusters.begin(), clusters.end(),
                                 [&](const CpuCluster& other) { return same_kind(one, other); });
    if (at == clusters.end()) {
      clusters.push_back(one);
      continue;
    }
    at->cpus.push_back(cpu);
    if (one.max_hz) at->max_hz = std::max(*at->max_hz, *one.max_hz);
    if (one.capacity) at->capacity = std::max(*at->capacity, *one.capacity);
  }
  std::stable_sort(clusters.begin(), clusters.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(a.max_hz.value_or(0), a.capacity.value_or(0)) >
           std::make_tuple(b.max_hz.value_or(0), b.capacity.value_or(0));
  });
  return clusters;
}

// Threads of one core share package, cluster and core number; core numbers alone repeat between
// the clusters of ARM boards.
std::uint32_t count_cores(const os::SystemFiles& files, const std::vector<std::uint32_t>& cpus) {
  std::set<std::tuple<long long, long long, long long>> cores;
  for (const std::uint32_t cpu : cpus) {
    const std::string folder = cpu_folder(cpu) + "/topology/";
    cores.emplace(files.integer(folder + "physical_package_id").value_or(0),
                  files.integer(folder + "cluster_id").value_or(0),
                  files.integer(folder + "core_id").value_or(cpu));
  }
  return static_cast<std::uint32_t>(cores.size());
}

std::string model_name(std::string_view cpuinfo, const std::vector<CpuCluster>& clusters) {
  // ARM systems give every core "ARMv8 Processor rev 1 (v8l)" for a model name: parts say more.
  std::string name;
  for (const CpuCluster& cluster : clusters) {
    if (!cluster.part) continue;
    if (!name.empty()) name += " + ";
    name += fmt::format("{}x {}", cluster.cpus.size(), *cluster.part);
  }
  if (!name.empty()) return name;
  for (const char* key : {"model name", "Model Name", "cpu model", "uarch", "Hardware"}) {
    const std::string_view value = value_at(cpuinfo, key, ':');
    if (!value.empty()) return printable(fmt::format("{}", fmt::join(words_of(value), " ")), 120);
  }
  return "unknown";
}

// "powersave", or "performance, powersave" when processors differ.
Known<std::string> words_of_all(const os::SystemFiles& files,
                                const std::vector<std::uint32_t>& cpus, const char* file) {
  std::set<std::string> words;
  for (const std::uint32_t cpu : cpus)
    if (const auto word = text_line(files, cpu_folder(cpu) + "/cpufreq/" + file))
      words.insert(*word);
  if (words.empty()) return not_available("no cpufreq");
  return fmt::format("{}", fmt::join(words, ", "));
}

Known<double> fastest(const os::SystemFiles& files, const std::vector<std::uint32_t>& cpus,
                      const char* file) {
  double most = 0;
  for (const std::uint32_t cpu : cpus)
    most = std::max(most, clock_line(files, cpu_folder(cpu) + "/cpufreq/" + file).value_or(0));
  if (most == 0) return not_available("no cpufreq");
  return most;
}

}  // namespace

Cpu describe_cpu(const os::SystemFiles& files) {
  const std::string cpuinfo = read_cpuinfo(files);
  const std::vector<std::uint32_t> cpus = online_cpus(files, cpuinfo);
  Cpu cpu;
  cpu.architecture = architecture_of(cpuinfo);
  cpu.isa = isa_of(cpuinfo);
  cpu.logical_cpus = static_cast<std::uint32_t>(cpus.size());
  cpu.cores = count_cores(files, cpus);
  cpu.clusters = describe_clusters(files, cpus, cpuinfo);
  cpu.model = model_name(cpuinfo, cpu.clusters);
  cpu.caches = describe_caches(files, cpus);
  cpu.governor = words_of_all(files, cpus, "scaling_governor");
  cpu.driver = words_of_all(files, cpus, "scaling_driver");
  cpu.current_hz = fastest(files, cpus, "scaling_cur_freq");
  cpu.max_hz = fastest(files, cpus, "cpuinfo_max_freq");
  const Known<double> limit = fastest(files, cpus, "scaling_max_freq");
  if (limit && cpu.max_hz && *limit < *cpu.max_hz) cpu.limit_hz = limit;
  return cpu;
}

}  // namespace edgelm::device
