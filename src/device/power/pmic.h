#pragma once
// The power management chip of the Raspberry Pi 5, asked through `vcgencmd pmic_read_adc`. Opened
// by sources.cpp; on its own because one reading gives two sources: what was measured (the sum of
// its rails) and what somebody's fit makes of it (board watts).

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "device/power/source.h"
#include "device/power/state_sampler.h"
#include "os/system_files.h"

namespace edgelm::device {

// "pmic": sum of V x A over the rails that have both (scope rail: without USB, HATs, NVMe, and the
// losses of the converters). "pmic-board": 1.1451 times that plus 0.5879 W (scope modelled; fit by
// user jfikar over fifty means of one second against a plug meter). Boards before the 5 cannot
// measure currents: listed as not readable.
std::vector<SensorInfo> list_pmic(const os::SystemFiles& files, const RunProgram& run = nullptr);
Result<std::unique_ptr<EnergySource>> open_pmic(const std::string& id, const os::SystemFiles& files,
                                                Clock now, RunProgram run = nullptr);

// The sum of the rails in what the program prints, lines of "NAME_A current(i)=0.5A" and
// "NAME_V volt(j)=3.3V" in any order, joined by NAME. kFormat without a single pair, or for a
// number that is none.
Result<double> pmic_watts(std::string_view text);

constexpr double pmic_board_watts(double rail_watts) { return 1.1451 * rail_watts + 0.5879; }

}  // namespace edgelm::device
