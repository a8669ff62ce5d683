#pragma once
// A hardware counter of energy that wraps around or is reset, as joules that only grow. Pure; used
// by the RAPL and hwmon sources.

#include <cstdint>
#include <optional>

#include "base/result.h"

namespace edgelm::device {

class WrappingCounter {
 public:
  // `range`: the counter goes from `range` back to 0; 0 when it does not wrap. One unit is
  // `joules_per_unit`. `most_watts`: more than this is no energy but a reset.
  WrappingCounter(std::uint64_t range, double joules_per_unit, double most_watts = 2'000)
      : range_(range), unit_(joules_per_unit), most_watts_(most_watts) {}

  // Energy since the reading before. nullopt: not known, because the counter was reset or may have
  // wrapped more than once; it goes on from here. kFormat when `raw` is beyond the range.
  Result<std::optional<double>> step(std::uint64_t raw, std::int64_t t_ns);

 private:
  std::uint64_t range_;
  double unit_;
  double most_watts_;
  std::optional<std::uint64_t> last_;
  std::int64_t last_t_ns_ = 0;
};

}  // namespace edgelm::device
