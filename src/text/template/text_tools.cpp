// Replacing, splitting and padding of text.

#include "text/template/text_tools.h"

#include <algorithm>

#include "text/template/error.h"
#include "text/template/unicode.h"
#include "text/template/value.h"

namespace edgelm::text {
namespace {

void append_bounded(std::string& out, std::string_view text) {
  if (out.size() + text.size() > kMaxTextBytes)
    template_limit("text exceeds {} bytes", kMaxTextBytes);
  out += text;
}

bool is_line_break(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

}  // namespace

std::string replaced(std::string_view text, std::string_view from, std::string_view to,
                     std::int64_t max_count) {
  std::string out;
  std::size_t at = 0;
  for (std::int64_t n = 0; n != max_count; ++n) {
    if (from.empty()) {  // before every code point, and at the end
      append_bounded(out, to);
      if (at == text.size()) return out;
      const std::size_t bytes = code_point_at(text, at).bytes;
      append_bounded(out, text.substr(at, bytes));
      at += bytes;
      continue;
    }
    const std::size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    append_bounded(out, text.substr(at, found - at));
    append_bounded(out, to);
    at = found + from.size();
  }
  append_bounded(out, text.substr(at));
  return out;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    std::size_t end = at + c.bytes;
    if (is_line_break(c.value)) {
      if (c.value == '\r' && end < text.size() && text[end] == '\n') ++end;
      lines.push_back(text.substr(start, (keep_ends ? end : at) - start));
      start = end;
    }
    at = end;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

std::vector<std::string_view> split_on(std::string_view text, std::string_view separator,
                                       std::int64_t max_splits) {
  std::vector<std::string_view> parts;
  std::size_t at = 0;
  for (std::int64_t n = 0; n != max_splits; ++n) {
    const std::size_t found = text.find(separator, at);
    if (found == std::string_view::npos) break;
    parts.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  parts.push_back(text.substr(at));
  return parts;
}

std::vector<std::string_view> split_on_space(std::string_view text, std::int64_t max_splits) {
  std::vector<std::string_view> parts;
  std::string_view rest = strip_left(text, "", true);
  for (std::int64_t n = 0; !rest.empty(); ++n) {
    if (n == max_splits) {
      parts.push_back(strip_right(rest, "", true));
      break;
    }
    std::size_t end = 0;
    while (end < rest.size() && !is_space(code_point_at(rest, end).value)) {
      end += code_point_at(rest, end).bytes;
    }
    parts.push_back(rest.substr(0, end));
    rest = strip_left(rest.substr(end), "", true);
  }
  return parts;
}

std::string aligned(std::string_view text, std::int64_t width, char fill, Align align) {
  const auto length = static_cast<std::int64_t>(count_code_points(text));
  if (width <= length) return std::string(text);
  if (width > static_cast<std::int64_t>(kMaxTextBytes)) {
    template_limit("text exceeds {} bytes", kMaxTextBytes);
  }
  const std::int64_t missing = width - length;
  std::int64_t left = 0;
  if (align == Align::kRight) left = missing;
  if (align == Align::kCenter) left = missing / 2 + (missing & width & 1);
  return std::string(static_cast<std::size_t>(left), fill)
      .append(text)
      .append(static_cast<std::size_t>(missing - left), fill);
}

std::string titled_words(std::string_view text) {
  std::string out;
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = code_point_at(text, at);
    append_utf8(in_word ? to_lower(c.value) : to_upper(c.value), out);
    in_word = is_alpha(c.value);
    at += c.bytes;
  }
  return out;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    constexpr std::string_view kSpecial = "&<>\"'";
    constexpr std::string_view kNames[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
    const std::size_t special = kSpecial.find(c);
    append_bounded(out,
                   special == std::string_view::npos ? std::string_view(&c, 1) : kNames[special]);
  }
  return out;
}

}  // namespace edgelm::text
