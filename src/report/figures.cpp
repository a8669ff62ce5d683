// Rounding, and cells of figures.

#include "report/figures.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

namespace edgelm::report {

std::string number(double value, int digits) {
  if (!std::isfinite(value)) return std::string(kNotAvailable);
  const double size = std::fabs(value);
  if (value == 0) return "0";
  if (size >= 1e15 || size < 1e-5) return fmt::format("{:.{}g}", value, digits);
  const int before = static_cast<int>(std::floor(std::log10(size))) + 1;
  std::string text = fmt::format("{:.{}f}", value, std::max(0, digits - before));
  return text;
}

std::string plain(double value) { return fmt::format("{:.6g}", value); }

std::string bytes(double value) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (std::fabs(value) >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", unit == 0 ? fmt::format("{:.0f}", value) : number(value, 3),
                     kUnits[unit]);
}

std::string count(std::uint64_t value) {
  const auto size = static_cast<double>(value);
  if (size >= 1e9) return number(size * 1e-9, 3) + " B";
  if (size >= 1e6) return number(size * 1e-6, 3) + " M";
  return std::to_string(value);
}

Cell name(std::string text) { return {.text = std::move(text)}; }

Cell whole(std::uint64_t value) {
  return {.text = std::to_string(value), .value = static_cast<double>(value)};
}

Cell absent(std::string reason) {
  return {.text = std::string(kNotAvailable), .note = std::move(reason)};
}

Cell figure(double value, Origin origin, std::string note) {
  if (!std::isfinite(value)) return absent("not a finite number");
  return {.text = number(value), .value = value, .origin = origin, .note = std::move(note)};
}

Cell figure(const Known<double>& value, Origin origin, std::string note) {
  return value ? figure(*value, origin, std::move(note)) : absent(value.error().reason);
}

Cell size(const Known<std::uint64_t>& value, Origin origin, std::string note) {
  if (!value) return absent(value.error().reason);
  const auto amount = static_cast<double>(*value);
  return {.text = bytes(amount), .value = amount, .origin = origin, .note = std::move(note)};
}

Cell series(const Known<measure::Series>& value) {
  if (!value) return absent(value.error().reason);
  Cell cell =
      figure(value->median, Origin::kMeasured,
             fmt::format("median of {}, MAD {}", value->samples.size(), number(value->mad, 3)));
  if (cell.value && value->samples.size() > 1)
    cell.text += fmt::format(" [{}, {}]", number(value->low), number(value->high));
  return cell;
}

}  // namespace edgelm::report
