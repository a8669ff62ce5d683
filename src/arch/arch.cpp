// From general.architecture to the file that knows it.

#include "arch/arch.h"

#include <atomic>

#include <fmt/ranges.h>

#include <array>

#include "arch/registry.h"

namespace edgelm::arch {
namespace {

struct Entry {
  std::string_view name;
  Result<Description> (*describe)(const formats::GgufFile& file);
};

constexpr std::array kArchitectures = {
    Entry{"llama", describe_llama},
    Entry{"qwen2", describe_qwen2},
    Entry{"qwen3", describe_qwen3},
};

}  // namespace

std::vector<std::string_view> supported_architectures() {
  std::vector<std::string_view> names;
  names.reserve(kArchitectures.size());
  for (const Entry& entry : kArchitectures) names.push_back(entry.name);
  return names;
}

Result<Description> describe(const formats::GgufFile& file) {
  EDGELM_TRY_ASSIGN(const std::string_view name, file.string("general.architecture"));
  for (const Entry& entry : kArchitectures) {
    if (entry.name != name) continue;
    EDGELM_TRY_ASSIGN(Description description, entry.describe(file));
    static std::atomic<std::uint64_t> n_plans{0};
    description.plan.id = ++n_plans;
    return description;
  }
  return fail(ErrorCode::kUnsupported, "{}: architecture '{}' is not supported; this build runs {}",
              file.path(), name, fmt::join(supported_architectures(), ", "));
}

}  // namespace edgelm::arch
