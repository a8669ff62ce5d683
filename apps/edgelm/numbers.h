#pragma once
// Checks for numbers in flags, for every command. CLI11 alone takes "" for 0 and -1 for the largest
// unsigned number, cuts what does not fit, and its Range lets "nan" through, because nan is neither
// below nor above anything.

#include <CLI/CLI.hpp>

#include <cstdint>
#include <limits>

namespace edgelm::apps {

CLI::Validator whole_number(std::uint64_t max);
// "" is what a shell makes of a variable that is not set: not the same as no flag.
CLI::Validator not_empty();

// Finite and from `low` to `high`.
CLI::Validator real_number(double low = std::numeric_limits<double>::lowest(),
                           double high = std::numeric_limits<double>::max());

}  // namespace edgelm::apps
