// String literals of templates.

#include "text/template/literals.h"

#include "text/template/error.h"
#include "text/template/unicode.h"

namespace edgelm::text {
namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

// Up to `most` digits of `base` from `at` on; moves `at` behind them.
char32_t read_digits(std::string_view body, std::size_t& at, std::size_t most, int base) {
  char32_t value = 0;
  for (std::size_t n = 0; n < most && at < body.size() && digit_value(body[at]) < base; ++n, ++at) {
    value = value * static_cast<char32_t>(base) + static_cast<char32_t>(digit_value(body[at]));
  }
  return value;
}

}  // namespace

std::string unescaped(std::string_view body, std::uint32_t line) {
  constexpr std::string_view kLetters = "ntrabfv\\'\"";
  constexpr std::string_view kMeanings = "\n\t\r\a\b\f\v\\'\"";
  std::string out;
  out.reserve(body.size());
  for (std::size_t i = 0; i < body.size();) {
    if (body[i] != '\\' || i + 1 >= body.size()) {
      out += body[i++];
      continue;
    }
    const char c = body[i + 1];
    i += 2;
    if (const std::size_t known = kLetters.find(c); known != std::string_view::npos) {
      out += kMeanings[known];
    } else if (c == '\n') {
      continue;  // a line continued
    } else if (c >= '0' && c <= '7') {
      --i;
      append_utf8(read_digits(body, i, 3, 8), out);
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t width = c == 'x' ? 2 : (c == 'u' ? 4 : 8);
      const std::size_t start = i;
      const char32_t value = read_digits(body, i, width, 16);
      if (i - start != width) {
        template_error_at(line, "\\{} needs {} hexadecimal digits", c, width);
      }
      append_utf8(value, out);
    } else {
      out += '\\';
      --i;  // the character follows as it is (it may have several bytes)
      out += body[i++];
    }
  }
  return out;
}

std::string quoted_character(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7f) return fmt::format("0x{:02x}", byte);
  return fmt::format("'{}'", text.substr(at, code_point_at(text, at).bytes));
}

}  // namespace edgelm::text
