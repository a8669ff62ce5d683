#pragma once
// Code points of valid UTF-8 text, as Python's str sees them: length, slices, white space, case.
// Case mapping covers ASCII, Latin-1, Greek and Cyrillic letters; others stay as they are.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace edgelm::text {

struct CodePoint {
  char32_t value = 0;
  std::uint32_t bytes = 1;
};

CodePoint code_point_at(std::string_view text, std::size_t at);
CodePoint code_point_before(std::string_view text, std::size_t end);
void append_utf8(char32_t code_point, std::string& out);

std::size_t count_code_points(std::string_view text);
// Byte offset of code point number `index` (at most text.size()).
std::size_t byte_offset(std::string_view text, std::size_t index);

bool is_space(char32_t c);  // str.isspace()
bool is_alpha(char32_t c);  // ASCII letters, and every non-ASCII code point that is not a space
char32_t to_upper(char32_t c);
char32_t to_lower(char32_t c);
std::string upper_text(std::string_view text);
std::string lower_text(std::string_view text);
std::string capitalized_text(std::string_view text);

// Without the leading / trailing code points that occur in `set`, or white space when it is empty
// and `by_space` says so.
std::string_view strip_left(std::string_view text, std::string_view set, bool by_space);
std::string_view strip_right(std::string_view text, std::string_view set, bool by_space);

}  // namespace edgelm::text
