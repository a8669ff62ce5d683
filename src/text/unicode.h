#pragma once
// UTF-8 boundaries and the GPT-2 byte alphabet, for the tokenizers. Text from users may hold any
// bytes; these say which of them form characters.

#include <cstddef>
#include <string>
#include <string_view>

namespace edgelm::text {

// Bytes of the UTF-8 character that `text` starts with; 0 when it starts with none (empty,
// truncated, overlong, a surrogate, or beyond U+10FFFF; Unicode 16, table 3-7).
std::size_t utf8_length(std::string_view text);

// Length of the longest prefix of `text` that is valid UTF-8.
std::size_t valid_utf8_prefix(std::string_view text);

// Byte-level BPE vocabularies are written with one printable character per byte (GPT-2's
// bytes_to_unicode: printable Latin-1 stands for itself, the other 68 bytes for U+0100...U+0143).
// Appends the bytes `text` stands for; false, with `out` unchanged, when a character of `text` is
// not in that alphabet.
bool append_byte_alphabet(std::string_view text, std::string& out);

}  // namespace edgelm::text
