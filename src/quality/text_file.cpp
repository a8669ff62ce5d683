// Reading, and the checks that all formats share.

#include "quality/text_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "formats/printable.h"
#include "os/file.h"
#include "text/unicode.h"

namespace edgelm::quality {
namespace {

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

std::vector<Line> TextFile::lines() const {
  std::vector<Line> lines;
  lines.reserve(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1);
  std::string_view rest = text;
  for (std::uint32_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back({number, line});
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

Result<TextFile> check_text(std::string path, std::string text) {
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return fail(ErrorCode::kFormat, "{}: empty, expected data", path);
  const std::size_t valid = text::valid_utf8_prefix(text);
  if (valid < text.size())
    return fail(
        ErrorCode::kFormat, "{}:{}: expected UTF-8, got byte 0x{:02x}", path,
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(valid), '\n'),
        static_cast<unsigned char>(text[valid]));
  std::string name = path.substr(path.rfind('/') + 1);
  return TextFile{.path = std::move(path), .name = std::move(name), .text = std::move(text)};
}

Result<TextFile> read_text_file(const std::string& path) {
  EDGELM_TRY_ASSIGN(std::string text, os::read_file(path, kMaxBytes));
  return check_text(path, std::move(text));
}

std::string shown(std::string_view text) {
  return fmt::format("'{}'", formats::printable(text, 40));
}

std::string short_hash(std::string_view text) {
  return fmt::format("{:016x}", hash64(as_byte_span(text)));
}

}  // namespace edgelm::quality
