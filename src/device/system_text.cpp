// Parsing without surprises.

#include "device/system_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/checked.h"
#include "base/printable.h"

namespace edgelm::device {
namespace {

constexpr std::size_t kMaxText = 120;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0' || c == '\v' || c == '\f';
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !is_space(text[i])) continue;
    if (i > begin) words.push_back(text.substr(begin, i - begin));
    begin = i + 1;
  }
  return words;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

std::optional<std::vector<std::uint32_t>> cpus_of_list(std::string_view text) {
  std::vector<std::uint32_t> cpus;
  text = trimmed(text);
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view range = text.substr(0, comma);
    const std::size_t dash = range.find('-');
    const auto first = parse_unsigned(range.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_unsigned(range.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= kMaxCpus) return std::nullopt;
    for (std::uint64_t cpu = *first; cpu <= *last; ++cpu)
      cpus.push_back(static_cast<std::uint32_t>(cpu));
    if (cpus.size() > kMaxCpus) return std::nullopt;
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  std::sort(cpus.begin(), cpus.end());
  cpus.erase(std::unique(cpus.begin(), cpus.end()), cpus.end());
  if (cpus.empty()) return std::nullopt;
  return cpus;
}

std::optional<std::uint64_t> parse_cache_size(std::string_view text) {
  constexpr std::string_view kUnits = "KMG";
  std::uint64_t unit = 1;
  if (!text.empty()) {
    const std::size_t power = kUnits.find(text.back());
    if (power != std::string_view::npos) {
      unit = std::uint64_t{1} << (10 * (power + 1));
      text.remove_suffix(1);
    }
  }
  const auto value = parse_unsigned(text);
  return value ? checked_mul(*value, unit) : std::nullopt;
}

std::optional<std::uint64_t> kilobytes_at(std::string_view text, std::string_view key) {
  const auto words = words_of(value_at(text, key, ':'));
  if (words.size() != 2 || words[1] != "kB") return std::nullopt;
  const auto value = parse_unsigned(words[0]);
  return value ? checked_mul(*value, std::uint64_t{1024}) : std::nullopt;
}

std::string_view value_at(std::string_view text, std::string_view key, char separator) {
  for (const std::string_view line : lines_of(text)) {
    const std::size_t at = line.find(separator);
    if (at != std::string_view::npos && trimmed(line.substr(0, at)) == key)
      return trimmed(line.substr(at + 1));
  }
  return {};
}

std::string reason_of(const Error& error, const std::string& path) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return path + ": no such file";
    case ErrorCode::kPermission:
      return path + ": no permission";
    case ErrorCode::kFormat:
      return path + ": not a number";
    default:
      return path + ": cannot be read";
  }
}

Known<std::string> text_line(const os::SystemFiles& files, const std::string& path) {
  const auto text = files.read(path);
  if (!text) return not_available(reason_of(text.error(), path));
  const std::string_view line = trimmed(*text);
  if (line.empty()) return not_available(path + ": empty");
  return printable(line.substr(0, line.find('\n')), kMaxText);
}

Known<double> number_line(const os::SystemFiles& files, const std::string& path, double low,
                          double high) {
  const auto value = files.integer(path);
  if (!value) return not_available(reason_of(value.error(), path));
  const auto number = static_cast<double>(*value);
  if (number < low || number > high)
    return not_available(fmt::format("{}: {} is not plausible", path, *value));
  return number;
}

}  // namespace edgelm::device
