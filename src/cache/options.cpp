// Where the cache lies and how large it may grow, from the environment.

#include <charconv>
#include <cstdlib>

#include "base/checked.h"
#include "cache/user_folder.h"
#include "cache/weight_cache.h"

namespace edgelm::cache {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Bytes of "500M", "8G", "8GiB", "0"; units are powers of 1024.
std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view kUnits = "BKMGT";
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit(stopped, static_cast<std::size_t>(end - stopped));
  if (unit.empty()) return value;
  const std::size_t power = kUnits.find(unit.front());
  unit.remove_prefix(1);
  if (power == std::string_view::npos) return std::nullopt;
  if (!unit.empty() && (power == 0 || (unit != "B" && unit != "iB"))) return std::nullopt;
  return checked_mul(value, 1ULL << (10 * power));
}

}  // namespace

std::string user_folder() {
  if (std::string folder = variable("EDGELM_CACHE_DIR"); !folder.empty()) return folder;
  // "All paths set in these environment variables must be absolute": XDG Base Directory
  // Specification 0.8; others are to be ignored.
  if (std::string folder = variable("XDG_CACHE_HOME"); folder.starts_with('/'))
    return folder + "/edgelm";
  if (std::string folder = variable("HOME"); folder.starts_with('/'))
    return folder + "/.cache/edgelm";
  return {};
}

Result<Options> Options::from_environment() {
  Options options;
  if (std::string folder = user_folder(); !folder.empty()) options.folder = folder + "/weights";
  if (const std::string limit = variable("EDGELM_CACHE_LIMIT"); !limit.empty()) {
    options.limit_bytes = parse_size(limit);
    if (!options.limit_bytes)
      return fail(ErrorCode::kUsage,
                  "EDGELM_CACHE_LIMIT is '{}', expected a size such as 8G, 500M or 0", limit);
  }
  return options;
}

}  // namespace edgelm::cache
