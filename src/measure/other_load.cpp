// /proc/stat and getrusage.

#include "measure/other_load.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "os/clock.h"

namespace edgelm::measure {

Result<CpuTimes> read_cpu_times(const os::SystemFiles& files) {
  EDGELM_TRY_ASSIGN(const std::string text, files.read("/proc/stat"));
  std::istringstream line(text.substr(0, text.find('\n')));
  std::string cpu;
  // user nice system idle iowait irq softirq steal; guest time is part of user
  double ticks[8] = {};
  line >> cpu;
  int n = 0;
  while (n < 8 && line >> ticks[n]) ++n;
  if (cpu != "cpu" || n < 4)
    return fail(ErrorCode::kFormat, "/proc/stat: expected 'cpu' and its times, got '{}'",
                text.substr(0, 40));
  rusage own{};
  getrusage(RUSAGE_SELF, &own);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  CpuTimes times;
  times.t_ns = os::now_ns();
  times.busy_s = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7]) /
                 static_cast<double>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  times.own_s = seconds(own.ru_utime) + seconds(own.ru_stime);
  return times;
}

Known<double> other_load(const Result<CpuTimes>& begin, const Result<CpuTimes>& end) {
  if (!begin) return not_available(begin.error().message);
  if (!end) return not_available(end.error().message);
  const double seconds = os::ns_to_s(end->t_ns - begin->t_ns);
  if (seconds < 0.5) return not_available("measured for less than half a second");
  return std::max(0.0, (end->busy_s - begin->busy_s) - (end->own_s - begin->own_s)) / seconds;
}

}  // namespace edgelm::measure
