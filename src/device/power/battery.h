#pragma once
// The battery of a laptop: what the whole device takes, as long as nothing charges it. Opened by
// sources.cpp; on its own because half of its readings must be refused.

#include <memory>
#include <vector>

#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

// "battery": power_now, or current_now x voltage_now, of all system batteries, while at least one
// discharges and none charges. The sign is ignored: drivers differ in it.
std::vector<SensorInfo> list_battery(const os::SystemFiles& files);
Result<std::unique_ptr<EnergySource>> open_battery(const os::SystemFiles& files, Clock now);

}  // namespace edgelm::device
