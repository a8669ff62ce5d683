// Numbers in flags: whole, or real within bounds.

#include "apps/edgelm/numbers.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>
#include <system_error>

namespace edgelm::apps {

CLI::Validator whole_number(std::uint64_t max) {
  const auto check = [max](const std::string& text) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && stopped == end && value <= max) return std::string();
    return fmt::format("'{}' is not a whole number from 0 to {}", text, max);
  };
  return {check, "", "whole_number"};
}

CLI::Validator not_empty() {
  const auto check = [](const std::string& text) {
    return std::string(text.empty() ? "expected a value, got an empty one" : "");
  };
  return {check, "", "not_empty"};
}

CLI::Validator real_number(double low, double high) {
  const auto check = [low, high](const std::string& text) {
    double value = 0;
    const bool number =
        !text.empty() && CLI::detail::lexical_cast(text, value) && std::isfinite(value);
    if (number && value >= low && value <= high) return std::string();
    const bool bounded =
        low > std::numeric_limits<double>::lowest() || high < std::numeric_limits<double>::max();
    return bounded ? fmt::format("'{}' is not a number from {} to {}", text, low, high)
                   : fmt::format("'{}' is not a finite number", text);
  };
  return {check, "", "real_number"};
}

}  // namespace edgelm::apps
