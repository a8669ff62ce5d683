// Percentiles of latencies.

#include "measure/latencies.h"

#include <fmt/format.h>

#include "base/counted.h"
#include "stats/summary.h"

namespace edgelm::measure {

void fill_latencies(const PhaseResult& phase, Record& record) {
  std::vector<double> all;
  for (const TimedRun& run : phase.runs)
    all.insert(all.end(), run.latencies_ms.begin(), run.latencies_ms.end());
  const auto percentile = [&](double q, std::size_t least) -> Known<double> {
    if (all.size() < least)
      return not_available(fmt::format("{}, {} are needed", counted(all.size(), "token"), least));
    return stats::quantile(all, q);
  };
  record.itl_p50_ms = percentile(0.5, 1);
  record.itl_p90_ms = percentile(0.9, kTokensForP90);
  record.itl_p99_ms = percentile(0.99, kTokensForP99);
}

}  // namespace edgelm::measure
