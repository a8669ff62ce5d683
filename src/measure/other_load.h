#pragma once
// How many processors other programs keep busy while something is measured: the system's busy time
// less this process's own. A measurement on a busy machine says so.

#include <cstdint>

#include "base/known.h"
#include "os/system_files.h"

namespace edgelm::measure {

// Below this many busy processors of others, a machine counts as quiet.
constexpr double kQuietLoad = 0.05;

struct CpuTimes {
  std::int64_t t_ns = 0;
  double busy_s = 0;  // of all processors, whoever used them
  double own_s = 0;   // of this process
};

// kNotFound / kFormat where /proc/stat does not tell.
Result<CpuTimes> read_cpu_times(const os::SystemFiles& files);

// Busy processors of others, on average; never below 0. /proc/stat counts hundredths of a second:
// n/a below half a second.
Known<double> other_load(const Result<CpuTimes>& begin, const Result<CpuTimes>& end);

}  // namespace edgelm::measure
