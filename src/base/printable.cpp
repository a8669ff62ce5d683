// Escaping of hostile text. The UTF-8 decoder is strict (Unicode 15, table 3-7): no overlong forms,
// no surrogates, nothing beyond U+10FFFF.

#include "base/printable.h"

#include <fmt/format.h>

#include <cstdint>

namespace edgelm {
namespace {

struct Decoded {
  std::uint32_t code_point = 0;
  std::size_t n_bytes = 0;  // 0: not valid UTF-8 here
};

Decoded decode_utf8(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t n_bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < n_bytes) return {};
  std::uint32_t code_point = lead & (0x7fu >> n_bytes);
  for (std::size_t i = 1; i < n_bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0u) != 0x80u) return {};
    code_point = code_point << 6 | (byte & 0x3fu);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code_point < kSmallest[n_bytes] || code_point > 0x10ffff) return {};
  if (code_point >= 0xd800 && code_point < 0xe000) return {};
  return {code_point, n_bytes};
}

bool moves_or_hides_text(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) ||  // C0, DEL, C1
         (code_point >= 0x200b && code_point <= 0x200f) ||                  // zero width, marks
         (code_point >= 0x2028 && code_point <= 0x202e) ||  // line separators, bidi embedding
         (code_point >= 0x2060 && code_point <= 0x206f) || code_point == 0xfeff;
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    const Decoded decoded = decode_utf8(text.substr(i));
    const std::size_t n_bytes = decoded.n_bytes == 0 ? 1 : decoded.n_bytes;
    std::string piece(text.substr(i, n_bytes));
    if (decoded.n_bytes == 0) {
      piece = fmt::format("\\x{:02x}", static_cast<unsigned char>(text[i]));
    } else if (decoded.code_point == '\n') {
      piece = "\\n";
    } else if (decoded.code_point == '\t') {
      piece = "\\t";
    } else if (moves_or_hides_text(decoded.code_point)) {
      piece = decoded.code_point < 0x80 ? fmt::format("\\x{:02x}", decoded.code_point)
                                        : fmt::format("\\u{:04x}", decoded.code_point);
    }
    if (out.size() + piece.size() > max_bytes) return out + "...";
    out += piece;
    i += n_bytes;
  }
  return out;
}

}  // namespace edgelm
