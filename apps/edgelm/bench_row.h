#pragma once
// The figures of one row of bench's outputs, the same for all formats.

#include <cstdint>

#include "apps/edgelm/bench_output.h"

namespace edgelm::apps {

struct RowFigures {
  const measure::Series* rate = nullptr;  // tokens/s; nullptr when there is none
  std::string why_no_rate;
  double bytes_per_token = 0;                                    // of weights
  Known<double> bytes_per_s = not_available("no rate");          // of weights
  Known<double> fraction = not_available("no bandwidth probe");  // of the memory's bandwidth
  Known<double> joules_per_token = not_available("no power sensor");
  Known<double> net_joules_per_token = not_available("no power sensor");
};

RowFigures figures_of(const BenchRow& row);

}  // namespace edgelm::apps
