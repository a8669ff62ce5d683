#pragma once
// A recorded power trace as a source: what a meter wrote beside the run, or a trace to try things
// with. Opened by sources.cpp as "file:PATH".

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/power/source.h"

namespace edgelm::device {

struct PowerTrace {
  bool counter = false;        // the second column is joules
  bool unix_time = false;      // times are seconds since 1970
  std::vector<double> t_s;     // growing
  std::vector<double> values;  // watts, or joules
};

// CSV: first line "t_s,watts" or "t_s,joules", then a number pair per line; empty lines and lines
// that start with # are skipped. kFormat names the line. A last line without its end is left out
// when `growing`: its writer has not finished it.
Result<PowerTrace> parse_power_trace(std::string_view text, std::string_view name,
                                     bool growing = false);

// Times from 1e9 on are Unix time: each reading is the newest line of the file, which a meter may
// still be writing (`wall` gives Unix time in ns). Smaller times are replayed from the first
// reading on: a reading is the value at the time that has passed since, and an error after the last
// line.
Result<std::unique_ptr<EnergySource>> open_recorded_file(const std::string& path, Clock now,
                                                         Clock wall = nullptr);

}  // namespace edgelm::device
