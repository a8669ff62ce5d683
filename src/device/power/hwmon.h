#pragma once
// Power and energy channels of any hwmon chip (kernel: Documentation/hwmon/sysfs-interface.rst).
// Opened by sources.cpp. What a channel is of is known for a few chips; of the others the scope is
// "unknown", and they are never chosen by themselves.

#include <memory>
#include <string>
#include <vector>

#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

// One sensor per channel: "hwmon:CHIP" when the chip has one, else "hwmon:CHIP/LABEL" (its label,
// or "power1", "energy1"). powerN_input before powerN_average. ina3221, batteries and the cores of
// amd_energy (parts of its sockets) are left to others or out.
std::vector<SensorInfo> list_hwmon(const os::SystemFiles& files);
Result<std::unique_ptr<EnergySource>> open_hwmon(const std::string& id,
                                                 const os::SystemFiles& files, Clock now);

}  // namespace edgelm::device
