// The caches, each kind once: level, type, size and how many processors share it.

#include <algorithm>
#include <set>
#include <tuple>

#include "device/describe_parts.h"
#include "device/system_text.h"

namespace edgelm::device {
namespace {

constexpr std::uint32_t kMaxIndices = 16;
constexpr std::uint64_t kMostBytes = 1ULL << 40;

}  // namespace

std::vector<CacheLevel> describe_caches(const os::SystemFiles& files,
                                        const std::vector<std::uint32_t>& cpus) {
  std::set<std::tuple<std::uint32_t, std::string, std::uint64_t, std::uint32_t>> kinds;
  for (const std::uint32_t cpu : cpus) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache";
    std::uint32_t n = 0;
    for (const std::string& name : files.list(folder)) {
      if (!name.starts_with("index") || ++n > kMaxIndices) continue;
      std::string index = folder;
      index.append("/").append(name).append("/");
      const auto level = number_line(files, index + "level", 1, 9);
      const auto type = text_line(files, index + "type");
      const auto size = text_line(files, index + "size");
      const auto shared = text_line(files, index + "shared_cpu_list");
      const auto bytes = size ? parse_cache_size(*size) : std::nullopt;
      if (!level || !type || !bytes || *bytes == 0 || *bytes > kMostBytes) continue;
      const auto sharing = shared ? cpus_of_list(*shared) : std::nullopt;
      kinds.emplace(static_cast<std::uint32_t>(*level), *type, *bytes,
                    sharing ? static_cast<std::uint32_t>(sharing->size()) : 1);
    }
  }
  std::vector<CacheLevel> caches;
  caches.reserve(kinds.size());
  for (const auto& [level, type, bytes, shared] : kinds)
    caches.push_back({level, type, bytes, shared});
  return caches;
}

}  // namespace edgelm::device
