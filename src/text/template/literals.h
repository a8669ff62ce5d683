#pragma once
// Escapes of string literals, and how messages quote a character.

#include <cstdint>
#include <string>
#include <string_view>

namespace edgelm::text {

// The value of a string literal's inside by Python's rules; an unknown escape stays as written.
// Throws TemplateError on a broken \x, \u or \U.
std::string unescaped(std::string_view body, std::uint32_t line);

std::string quoted_character(std::string_view text, std::size_t at);

}  // namespace edgelm::text
