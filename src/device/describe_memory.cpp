// Memory of the machine and what the control group of this process leaves of it, in both versions
// of control groups: the smallest limit from the group up to the root counts.

#include <algorithm>

#include "base/checked.h"
#include "device/describe_parts.h"
#include "device/system_text.h"

namespace edgelm::device {
namespace {

// Files of one version of control groups.
struct GroupFiles {
  const char* mount;
  const char* limit;
  const char* usage;
  const char* inactive_file;  // keys of memory.stat: pages of files, which are dropped on demand
  const char* active_file;
};
constexpr GroupFiles kVersion2{"/sys/fs/cgroup", "/memory.max", "/memory.current", "inactive_file",
                               "active_file"};
constexpr GroupFiles kVersion1{"/sys/fs/cgroup/memory", "/memory.limit_in_bytes",
                               "/memory.usage_in_bytes", "total_inactive_file",
                               "total_active_file"};

struct Group {
  const GroupFiles* version = nullptr;
  std::string path;  // "/user.slice/..."
};

// Lines of /proc/self/cgroup: "0::/path" (version 2), "5:memory,hugetlb:/path" (version 1).
std::vector<Group> groups_of(const os::SystemFiles& files) {
  const std::string text = files.read("/proc/self/cgroup").value_or("");
  std::vector<Group> groups;
  for (const std::string_view line : lines_of(text)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view path = trimmed(line.substr(second + 1));
    if (!path.starts_with('/') || path.find("..") != std::string_view::npos) continue;
    std::string list = ",";
    list.append(controllers).append(",");
    if (controllers.empty()) groups.push_back({&kVersion2, std::string(path)});
    if (list.find(",memory,") != std::string::npos)
      groups.push_back({&kVersion1, std::string(path)});
  }
  return groups;
}

struct Limit {
  std::uint64_t bytes = 0;
  std::uint64_t available = 0;
};

// Of one folder; nothing for "max" and where there is none.
std::optional<Limit> limit_at(const os::SystemFiles& files, const GroupFiles& version,
                              const std::string& folder) {
  const auto bytes = parse_unsigned(files.line(folder + version.limit).value_or(""));
  if (!bytes || *bytes == 0) return std::nullopt;
  Limit limit{*bytes, *bytes};
  const auto usage = parse_unsigned(files.line(folder + version.usage).value_or(""));
  if (!usage) return limit;
  const std::string stat = files.read(folder + "/memory.stat").value_or("");
  std::uint64_t cached = 0;
  for (const char* key : {version.inactive_file, version.active_file})
    cached = checked_add(cached, parse_unsigned(value_at(stat, key, ' ')).value_or(0)).value_or(0);
  limit.available = *bytes - std::min(*bytes, *usage - std::min(*usage, cached));
  return limit;
}

// The tightest from the group up to the root of the mount; a container sees only its end of the
// path, or none of it.
std::optional<Limit> tightest(const os::SystemFiles& files) {
  std::optional<Limit> least;
  for (const Group& group : groups_of(files)) {
    std::string path = group.path;
    for (;;) {
      while (path.ends_with('/')) path.pop_back();
      const auto limit = limit_at(files, *group.version, group.version->mount + path);
      if (limit && (!least || limit->bytes < least->bytes)) {
        const std::uint64_t available =
            least ? std::min(least->available, limit->available) : limit->available;
        least = Limit{limit->bytes, available};
      } else if (limit) {
        least->available = std::min(least->available, limit->available);
      }
      if (path.empty()) break;
      path.resize(path.rfind('/'));
    }
  }
  return least;
}

// "zram", "file", "partition", joined when there are several kinds.
std::string swap_kind(const os::SystemFiles& files) {
  const std::string text = files.read("/proc/swaps").value_or("");
  std::string kinds;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 3 || words[0] == "Filename") continue;
    const std::string_view kind = words[0].starts_with("/dev/zram") ? "zram"
                                  : words[1] == "file"              ? "file"
                                                                    : "partition";
    if (kinds.find(kind) != std::string::npos) continue;
    if (!kinds.empty()) kinds += " + ";
    kinds += kind;
  }
  return kinds;
}

}  // namespace

Memory describe_memory(const os::SystemFiles& files) {
  Memory memory;
  const auto text = files.read("/proc/meminfo");
  if (!text) {
    const std::string reason = reason_of(text.error(), "/proc/meminfo");
    memory.total_bytes = memory.available_bytes = memory.swap_bytes = not_available(reason);
  } else {
    if (const auto total = kilobytes_at(*text, "MemTotal")) memory.total_bytes = *total;
    if (const auto available = kilobytes_at(*text, "MemAvailable"))
      memory.available_bytes = *available;
    const auto swap = kilobytes_at(*text, "SwapTotal");
    if (swap && *swap > 0) {
      memory.swap_bytes = *swap;
      memory.swap_kind = swap_kind(files);
    }
  }
  const auto limit = tightest(files);
  // Version 1 writes "no limit" as a number near 2^63.
  if (!limit || limit->bytes >= memory.total_bytes.value_or(1ULL << 62)) return memory;
  memory.limit_bytes = limit->bytes;
  memory.available_bytes =
      std::min(memory.available_bytes.value_or(limit->available), limit->available);
  return memory;
}

}  // namespace edgelm::device
