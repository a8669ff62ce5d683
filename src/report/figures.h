#pragma once
// Figures as cells: how numbers are rounded, and that none goes without its origin. Used by all
// that builds tables.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/known.h"
#include "measure/record.h"
#include "report/document.h"

namespace edgelm::report {

// Four significant digits, without an exponent where people would not write one.
std::string number(double value, int digits = 4);
std::string plain(double value);         // as one would write it: "0.25", "3"
std::string bytes(double value);         // "1.43 GiB"
std::string count(std::uint64_t value);  // "1.54 B", "6.1 M"

Cell name(std::string text);  // a setting, a name: no figure
Cell whole(std::uint64_t value);
Cell absent(std::string reason);
Cell figure(double value, Origin origin, std::string note = "");
Cell figure(const Known<double>& value, Origin origin, std::string note = "");
Cell size(const Known<std::uint64_t>& value, Origin origin, std::string note = "");
// Median with its interval: "9.25 [9.11, 9.39]".
Cell series(const Known<measure::Series>& value);

// Known of another figure: f(value), or the same reason.
template <class T, class F>
auto derived(const Known<T>& from, F&& f) -> Known<decltype(f(*from))> {
  if (!from) return not_available(from.error().reason);
  return f(*from);
}

}  // namespace edgelm::report
