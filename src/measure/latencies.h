#pragma once
// Percentiles of inter-token latencies over all repetitions, only as far out as their number
// carries. Shared by the cells of this engine and of servers.

#include "measure/phase.h"

namespace edgelm::measure {

// A percentile needs tokens beyond it: 99 needs a thousand, 90 a hundred.
constexpr std::size_t kTokensForP99 = 1000;
constexpr std::size_t kTokensForP90 = 100;

void fill_latencies(const PhaseResult& phase, Record& record);

}  // namespace edgelm::measure
