#pragma once
// Where words go: results to standard output, whose failure (a full disk, a closed descriptor) is
// an error of the command, and notes to standard error, whose failure is nobody's business.

#include <fmt/format.h>

#include <cstdio>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace edgelm::apps {

// Writes and flushes. kIo with the system's reason.
Status write_result(std::string_view text);

template <class... Args>
void note(fmt::format_string<Args...> format, Args&&... args) {
  // Not fmt::print, which throws when the descriptor is closed.
  const std::string text = fmt::format(format, std::forward<Args>(args)...);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace edgelm::apps
