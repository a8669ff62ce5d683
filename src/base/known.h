#pragma once
// A value that may not be had, with the reason: what every figure of a device, a run or a
// prediction is made of. A figure that is absent is never 0 and never left out; it prints as "n/a"
// with why. And where a figure comes from, which is said wherever it is printed.

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace edgelm {

struct Absent {
  std::string reason;  // "no power sensor on this device"
  bool operator==(const Absent&) const = default;
};

template <class T>
using Known = tl::expected<T, Absent>;

inline tl::unexpected<Absent> not_available(std::string reason) {
  return tl::unexpected<Absent>(Absent{std::move(reason)});
}

// Four different words, and no number without one.
enum class Origin {
  kMeasured,   // on this device, in this run
  kPredicted,  // by src/predict from a header and a passport
  kModelled,   // from a measurement by a fit of somebody else: PMIC rails to board watts
  kStated,     // by a publication or a data sheet, which is named
};

constexpr std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::kMeasured:
      return "measured";
    case Origin::kPredicted:
      return "predicted";
    case Origin::kModelled:
      return "modelled";
    case Origin::kStated:
      return "stated";
  }
  return "unknown";
}

}  // namespace edgelm
