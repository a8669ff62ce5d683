#pragma once
// What every source does with a number before it becomes a reading: is it a power at all, and when
// was it read.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "device/power/source.h"

namespace edgelm::device {

// No device that this program runs on takes more; a reading beyond is a mistake of unit or sensor.
constexpr double kMostWatts = 20'000;

inline Result<double> plausible_watts(double watts, std::string_view name) {
  if (std::isfinite(watts) && watts >= 0 && watts <= kMostWatts) return watts;
  return fail(ErrorCode::kFormat, "{}: {} W is no power (0 to {} W expected)", name, watts,
              kMostWatts);
}

// Between two readings of a counter. Half a second of slack: two reads in a row may see what was
// counted long before, and meters count in steps of up to 3600 J (1 Wh).
inline Status plausible_rise(double joules, double seconds, std::string_view name) {
  constexpr double kSlackS = 0.5;
  if (joules >= 0 && joules <= kMostWatts * (seconds + kSlackS)) return {};
  return fail(ErrorCode::kFormat,
              "{}: a counter that goes by {:.6g} J in {:.3g} s measures no energy (0 to {} W "
              "expected)",
              name, joules, seconds, kMostWatts);
}

// Calls `read` (-> Result<double>) and dates its value with the middle of the call.
template <class Read>
Result<Reading> timed(const Clock& now, Read&& read) {
  const std::int64_t begin = now();
  EDGELM_TRY_ASSIGN(const double value, read());
  return Reading{begin + (now() - begin) / 2, value, false};
}

}  // namespace edgelm::device
