// One wrap between two readings is recovered, more cannot be; a reset looks like a wrap with an
// impossible power.

#include "device/power/wrapping_counter.h"

#include "os/clock.h"

namespace edgelm::device {

Result<std::optional<double>> WrappingCounter::step(std::uint64_t raw, std::int64_t t_ns) {
  if (range_ > 0 && raw > range_)
    return fail(ErrorCode::kFormat, "the counter says {}, beyond its range of {}", raw, range_);
  const std::optional<std::uint64_t> before = last_;
  const double seconds = os::ns_to_s(t_ns - last_t_ns_);
  last_ = raw;
  last_t_ns_ = t_ns;
  if (!before) return 0.0;
  // After so long a gap it may have wrapped and come past the old count again.
  const double range_joules = static_cast<double>(range_) * unit_;
  if (range_ > 0 && seconds * (most_watts_ / 2) > range_joules) return std::nullopt;
  if (raw < *before && range_ == 0) return std::nullopt;
  const std::uint64_t units = raw >= *before ? raw - *before : raw + (range_ - *before);
  const double joules = static_cast<double>(units) * unit_;
  // Half a second of slack: two reads in a row may see what was counted long before.
  if (joules > most_watts_ * (seconds + 0.5)) return std::nullopt;
  return joules;
}

}  // namespace edgelm::device
