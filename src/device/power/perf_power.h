#pragma once
// The kernel's `power` PMU: the same counters as RAPL powercap, through perf_event_open, with
// another permission. Opened by sources.cpp; the system call stands behind a function for tests.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

class PerfCounter {
 public:
  virtual ~PerfCounter() = default;
  virtual Result<std::uint64_t> read() = 0;
};

// A counter of PMU `type` with `config` on processor `cpu`, of all processes.
using OpenPerf = std::function<Result<std::unique_ptr<PerfCounter>>(std::uint32_t type,
                                                                    std::uint64_t config, int cpu)>;
Result<std::unique_ptr<PerfCounter>> open_perf_counter(std::uint32_t type, std::uint64_t config,
                                                       int cpu);

// "event=0x02" or "event=0x2,umask=0x1" -> config (bits 0-7 and 8-15).
Result<std::uint64_t> parse_perf_event(std::string_view text);
// "0,18-19" -> 0, 18, 19; at most 4096 processors.
Result<std::vector<int>> parse_cpu_list(std::string_view text);

// "perf": energy-pkg plus energy-ram of every package (the PMU's cpumask has one processor of
// each). On a recorded machine (another root than "") nothing can be opened unless `open` is given.
std::vector<SensorInfo> list_perf_power(const os::SystemFiles& files, OpenPerf open = nullptr);
Result<std::unique_ptr<EnergySource>> open_perf_power(const os::SystemFiles& files, Clock now,
                                                      OpenPerf open = nullptr);

}  // namespace edgelm::device
