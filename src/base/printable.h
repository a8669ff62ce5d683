#pragma once
// Text from a file, a system or a network made fit for a terminal and for one line of a message.

#include <cstddef>
#include <string>
#include <string_view>

namespace edgelm {

// `text` with everything that could move a cursor, hide or reorder text, or break the line written
// as an escape (\n, \x1b, \u202e), and invalid UTF-8 as \xNN. Longer than `max_bytes` it is cut
// between characters, with "..." at the end. A backslash stays a backslash: this is for reading,
// not for parsing back.
std::string printable(std::string_view text, std::size_t max_bytes = 80);

}  // namespace edgelm
