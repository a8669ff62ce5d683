#pragma once
// Text operations that filters and methods share. Results are bounded; what would exceed
// kMaxTextBytes is an error before it is built.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edgelm::text {

std::string replaced(std::string_view text, std::string_view from, std::string_view to,
                     std::int64_t max_count);  // negative: all
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);
std::vector<std::string_view> split_on(std::string_view text, std::string_view separator,
                                       std::int64_t max_splits);
std::vector<std::string_view> split_on_space(std::string_view text, std::int64_t max_splits);
// With `fill` left and right so that it has `width` code points.
enum class Align { kLeft, kRight, kCenter };
std::string aligned(std::string_view text, std::int64_t width, char fill, Align align);
std::string titled_words(std::string_view text);  // str.title()
std::string html_escaped(std::string_view text);

}  // namespace edgelm::text
