// /proc/self and the control group.

#include "measure/memory_parts.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <vector>

namespace edgelm::measure {
namespace {

Known<std::uint64_t> number_of(std::string_view text, const char* where) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data())
    return not_available(fmt::format("{} holds no number", where));
  return value;
}

// The number after "KEY" at the start of a line: "Pss_Anon:   112 kB", "pgmajfault 7".
Known<std::uint64_t> value_of(const os::SystemFiles& files, const char* path,
                              std::string_view key) {
  const Result<std::string> text = files.read(path);
  if (!text) return not_available(text.error().message);
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    if (line.starts_with(key)) return number_of(line.substr(key.size()), path);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return not_available(fmt::format("{} has no '{}'", path, key));
}

Known<std::uint64_t> kilobytes(const os::SystemFiles& files, const char* path,
                               std::string_view key) {
  return value_of(files, path, key).map([](std::uint64_t value) { return value * 1024; });
}

double mebibytes(double bytes) { return bytes / (1024.0 * 1024.0); }

}  // namespace

ProportionalSet read_proportional_set(const os::SystemFiles& files) {
  constexpr const char* kRollup = "/proc/self/smaps_rollup";
  ProportionalSet set;
  set.anonymous = kilobytes(files, kRollup, "Pss_Anon:");  // both since Linux 5.4
  set.file = kilobytes(files, kRollup, "Pss_File:");
  const Known<std::uint64_t> shared = kilobytes(files, kRollup, "Pss_Shmem:");
  if (set.file && shared) *set.file += *shared;
  return set;
}

Status reset_peak(const os::SystemFiles& files) {
  return files.write("/proc/self/clear_refs", "5");
}

Known<std::uint64_t> read_peak(const os::SystemFiles& files) {
  return kilobytes(files, "/proc/self/status", "VmHWM:");
}

Known<std::uint64_t> read_cgroup_peak(const os::SystemFiles& files) {
  const Result<std::string> groups = files.read("/proc/self/cgroup");
  if (!groups) return not_available(groups.error().message);
  std::vector<std::string> candidates;
  std::string_view rest = *groups;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    // "4:memory:/path" (version 1) or "0::/path" (version 2)
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string path(line.substr(second + 1) == "/" ? "" : line.substr(second + 1));
    if (controllers == "memory") {
      // A container often sees its own group as the root.
      candidates.push_back("/sys/fs/cgroup/memory" + path + "/memory.max_usage_in_bytes");
      candidates.emplace_back("/sys/fs/cgroup/memory/memory.max_usage_in_bytes");
    } else if (controllers.empty()) {
      candidates.push_back("/sys/fs/cgroup" + path + "/memory.peak");
      candidates.emplace_back("/sys/fs/cgroup/memory.peak");
    }
  }
  for (const std::string& path : candidates) {
    const Result<long long> value = files.integer(path);
    if (value && *value > 0) return static_cast<std::uint64_t>(*value);
  }
  return not_available("no control group with a memory peak");
}

Known<std::uint64_t> cgroup_peak_between(const Known<std::uint64_t>& before,
                                         const Known<std::uint64_t>& after) {
  if (!after || !before || *after > *before) return after;
  return not_available("the control group had used more before");
}

Faults read_faults(const os::SystemFiles& files) {
  Faults faults;
  // Field 12 of /proc/self/stat; the second one is a name in brackets that may hold anything.
  const Result<std::string> stat = files.read("/proc/self/stat");
  if (!stat) {
    faults.major = not_available(stat.error().message);
  } else {
    std::size_t at = stat->rfind(')');
    for (int field = 2; field < 12 && at != std::string::npos; ++field)
      at = stat->find(' ', at + 1);
    if (at != std::string::npos)
      faults.major = number_of(std::string_view(*stat).substr(at), "/proc/self/stat");
  }
  faults.storage_read_bytes = value_of(files, "/proc/self/io", "read_bytes:");
  faults.refaulted_pages = value_of(files, "/proc/vmstat", "workingset_refault_file ");
  return faults;
}

Known<std::uint64_t> growth(const Known<std::uint64_t>& before, const Known<std::uint64_t>& after) {
  if (!before) return before;
  if (!after) return after;
  if (*after < *before) return not_available("the counter went back");
  return *after - *before;
}

PagingVerdict judge_paging(const PagingEvidence& evidence) {
  // Two in a hundred of the bytes that the tokens used. Below that, reading is a late arrival of
  // pages (the warm-up of a large model touches each of them); above it, the device reads from
  // storage at a hundredth of the speed of its memory, and most of the time goes there.
  constexpr double kShare = 0.02;
  constexpr double kPageBytes = 4096;
  if (!(evidence.seconds > 0) || !(evidence.weight_bytes_used > 0)) return {};
  if (evidence.major_faults && *evidence.major_faults == 0) return {};
  double read = 0;
  if (evidence.storage_read_bytes) {
    read = static_cast<double>(*evidence.storage_read_bytes);
  } else if (evidence.refaulted_pages) {
    read = static_cast<double>(*evidence.refaulted_pages) * kPageBytes;
  } else if (evidence.major_faults) {
    read = static_cast<double>(*evidence.major_faults) * kPageBytes;  // at least
  }
  // Not more than a few pages of a small model that something else had pushed out.
  if (read < kShare * evidence.weight_bytes_used || read < 0.01 * evidence.weight_bytes) return {};
  PagingVerdict verdict;
  verdict.paging = true;
  verdict.why = fmt::format(
      "paging: {:.0f} MiB of weights were read from storage again while measuring ({:.1f} MiB/s, "
      "{:.0f} % of what the tokens used)",
      mebibytes(read), mebibytes(read / evidence.seconds), 100 * read / evidence.weight_bytes_used);
  if (evidence.weights_resident)
    verdict.why +=
        fmt::format("; {:.0f} % of the weights are in memory", 100 * *evidence.weights_resident);
  if (evidence.bandwidth_share && *evidence.bandwidth_share < 0.3)
    verdict.why += fmt::format("; decode reaches {:.1f} % of the memory's bandwidth",
                               100 * *evidence.bandwidth_share);
  verdict.why += "; the model does not fit beside what else is in memory";
  return verdict;
}

}  // namespace edgelm::measure
