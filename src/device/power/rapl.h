#pragma once
// Intel's and AMD's energy counters in the kernel's powercap tree (sysfs-class-powercap). Opened by
// sources.cpp; on its own because of the tree: what contains what, and what is listed twice.

#include <memory>
#include <string>
#include <vector>

#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

// "rapl": all packages plus the dram zones, which lie outside of them; "rapl-psys": the platform,
// where the processor has that counter (wired by the board's maker, off by -9 to +31 % in
// two comparisons with the battery; so never chosen by itself). Cores and uncore are parts of
// a package and never added. A zone that both intel-rapl and intel-rapl-mmio show counts once.
std::vector<SensorInfo> list_rapl(const os::SystemFiles& files);
Result<std::unique_ptr<EnergySource>> open_rapl(const std::string& id, const os::SystemFiles& files,
                                                Clock now);

}  // namespace edgelm::device
