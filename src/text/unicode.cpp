// UTF-8 boundaries and the byte alphabet of byte-level BPE; see unicode.h.

#include "text/unicode.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace edgelm::text {
namespace {

constexpr std::size_t kAlphabetEnd = 0x144;

constexpr bool stands_for_itself(std::size_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

// Byte of each code point below kAlphabetEnd, -1 where there is none.
constexpr std::array<std::int16_t, kAlphabetEnd> make_alphabet() {
  std::array<std::int16_t, kAlphabetEnd> byte_of{};
  for (auto& byte : byte_of) byte = -1;
  std::size_t next = 0x100;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    byte_of[stands_for_itself(byte) ? byte : next++] = static_cast<std::int16_t>(byte);
  }
  return byte_of;
}
constexpr auto kByteOf = make_alphabet();

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < length) return 0;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t chunk = 0;
    if (text.size() - at >= sizeof(chunk)) {
      std::memcpy(&chunk, text.data() + at, sizeof(chunk));
      if ((chunk & 0x8080808080808080ULL) == 0) {
        at += sizeof(chunk);
        continue;
      }
    }
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

bool append_byte_alphabet(std::string_view text, std::string& out) {
  const std::size_t before = out.size();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    std::size_t code = kAlphabetEnd;
    if (length == 1) {
      code = static_cast<unsigned char>(text[at]);
    } else if (length == 2) {
      code = ((static_cast<unsigned char>(text[at]) & 0x1FU) << 6) |
             (static_cast<unsigned char>(text[at + 1]) & 0x3FU);
    }
    if (code >= kAlphabetEnd || kByteOf[code] < 0) {
      out.resize(before);
      return false;
    }
    out.push_back(static_cast<char>(kByteOf[code]));
    at += length;
  }
  return true;
}

}  // namespace edgelm::text
