#pragma once
// `edgelm bench` from options to records: the cells, each in a process of its own, kept in the
// store as they come, resumed where an earlier call ended.

#include "apps/edgelm/bench_options.h"
#include "base/result.h"

namespace edgelm::apps {

// Prints the results. `exit_code` becomes 128 + the signal after Ctrl-C (130).
Status run_bench(const BenchOptions& options, int& exit_code);

}  // namespace edgelm::apps
