// Names and keys of split models.

#include "formats/gguf_split.h"

#include <charconv>
#include <string_view>

namespace edgelm::formats {
namespace {

constexpr std::string_view kPattern = "-00001-of-00001.gguf";  // its length and fixed parts
constexpr std::size_t kDigits = 5;

std::optional<std::uint32_t> five_digits(std::string_view text) {
  std::uint32_t value = 0;
  const char* const end = text.data() + kDigits;
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return value;
}

Result<std::optional<std::uint64_t>> split_key(const GgufPart& part, const std::string& path,
                                               std::string_view key) {
  for (const GgufValue& value : part.metadata) {
    if (value.key != key) continue;
    if (const auto* number = std::get_if<std::uint64_t>(&value.value)) return *number;
    if (const auto* number = std::get_if<std::int64_t>(&value.value); number && *number >= 0)
      return static_cast<std::uint64_t>(*number);
    return fail(ErrorCode::kFormat, "{}: key '{}': expected a non-negative integer, got {}", path,
                key, gguf_type_name(value.type));
  }
  return std::nullopt;
}

}  // namespace

std::optional<SplitName> parse_split_name(const std::string& path) {
  if (path.size() < kPattern.size()) return std::nullopt;
  const std::string_view tail = std::string_view(path).substr(path.size() - kPattern.size());
  if (tail[0] != '-' || tail.substr(6, 4) != "-of-" || tail.substr(15) != ".gguf")
    return std::nullopt;
  const auto no = five_digits(tail.substr(1));
  const auto count = five_digits(tail.substr(10));
  if (!no || !count || *no < 1 || *no > *count) return std::nullopt;
  return SplitName{path.substr(0, path.size() - tail.size()), *no, *count};
}

std::string split_part_path(const SplitName& name, std::uint32_t no) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", name.prefix, no, name.count);
}

Result<std::optional<SplitInfo>> read_split_info(const GgufPart& part, const std::string& path) {
  EDGELM_TRY_ASSIGN(const auto count, split_key(part, path, "split.count"));
  if (!count || *count == 1) return std::nullopt;
  EDGELM_TRY_ASSIGN(const auto no, split_key(part, path, "split.no"));
  EDGELM_TRY_ASSIGN(const auto n_tensors, split_key(part, path, "split.tensors.count"));
  if (!no || !n_tensors)
    return fail(ErrorCode::kFormat, "{}: key 'split.count' is {}, but key '{}' is missing", path,
                *count, no ? "split.tensors.count" : "split.no");
  if (*no >= *count)
    return fail(ErrorCode::kFormat, "{}: key 'split.no' is {}, expected less than 'split.count' {}",
                path, *no, *count);
  return SplitInfo{*no, *count, *n_tensors};
}

Status check_split_part(const std::string& path, const std::optional<SplitInfo>& info,
                        const SplitInfo& first, std::uint32_t expected_no) {
  if (!info)
    return fail(ErrorCode::kFormat, "{}: named as part {} of {}, but it has no split keys", path,
                expected_no, first.count);
  if (info->no + 1 != expected_no)
    return fail(ErrorCode::kFormat, "{}: named as part {}, but it says that it is part {}", path,
                expected_no, info->no + 1);
  if (info->count != first.count)
    return fail(ErrorCode::kFormat, "{}: a part of {}, but another part says {}", path, info->count,
                first.count);
  if (info->n_tensors != first.n_tensors)
    return fail(ErrorCode::kFormat,
                "{}: key 'split.tensors.count' is {}, but {} in another part: parts of two models?",
                path, info->n_tensors, first.n_tensors);
  return {};
}

}  // namespace edgelm::formats
