#pragma once
// Any program that prints power as a source, "command:PROGRAM ARGS...": the way in for meters that
// nobody has thought of here (USB and serial meters, laboratory supplies). Opened by sources.cpp.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

// One line: "5.2", "5.2 W", "5200 mW", "481.5 J" (a count of joules), each after the time in
// seconds if there is one: "12.5 5.2". Numbers alone are watts.
struct PowerLine {
  std::optional<double> t_s;
  double value = 0;  // watts or joules
  bool joules = false;
};
Result<PowerLine> parse_power_line(std::string_view text);

// Words, with '...' and "..." as in a shell, and nothing else of a shell. kUsage for a quote
// without its end.
Result<std::vector<std::string>> split_command(std::string_view text);

// A program that goes on printing is read line by line; one that prints and ends is started again
// for each reading; both alike, so that one that dies is started again too. Times that lines give
// count from the first line's arrival. Opening takes three readings, to learn the period; a reading
// waits at most `patience_s` for a line. The program is ended with the source.
Result<std::unique_ptr<EnergySource>> open_command(const std::string& command,
                                                   const os::SystemFiles& files, Clock now,
                                                   double patience_s = 3);

}  // namespace edgelm::device
