#pragma once
// "1 record", "3 records": a number with its noun, for texts that people read. Used by all that
// writes sentences; stands alone because it is of no subject. English only, as all texts here are.

#include <fmt/format.h>

#include <concepts>
#include <string>
#include <string_view>

namespace edgelm {

// `many` where it is not `one` with an s: counted(n, "query", "queries").
template <std::integral T>
std::string counted(T n, std::string_view one, std::string_view many = {}) {
  if (n == 1) return fmt::format("1 {}", one);
  if (many.empty()) return fmt::format("{} {}s", n, one);
  return fmt::format("{} {}", n, many);
}

}  // namespace edgelm
