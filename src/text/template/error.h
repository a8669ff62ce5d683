#pragma once
// The exception that carries an error out of the template interpreter's recursion. It never leaves
// ChatTemplate::parse() and render(), which turn it into a Result.

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"

namespace edgelm::text {

struct TemplateError {
  ErrorCode code = ErrorCode::kFormat;
  std::string message;
  std::uint32_t line = 0;  // 0: the line being rendered
};

template <class... Args>
[[noreturn]] void template_error(fmt::format_string<Args...> format, Args&&... args) {
  throw TemplateError{ErrorCode::kFormat, fmt::format(format, std::forward<Args>(args)...), 0};
}

template <class... Args>
[[noreturn]] void template_error_at(std::uint32_t line, fmt::format_string<Args...> format,
                                    Args&&... args) {
  throw TemplateError{ErrorCode::kFormat, fmt::format(format, std::forward<Args>(args)...), line};
}

template <class... Args>
[[noreturn]] void template_limit(fmt::format_string<Args...> format, Args&&... args) {
  throw TemplateError{ErrorCode::kLimit, fmt::format(format, std::forward<Args>(args)...), 0};
}

}  // namespace edgelm::text
