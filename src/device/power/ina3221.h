#pragma once
// The INA3221 power monitors of Jetson modules, by hwmon (JetPack 5 on, mainline) or iio (older
// L4T). Opened by sources.cpp; on its own because of the rails: which one is the total, and which
// lie inside another.

#include <memory>
#include <vector>

#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

// "ina3221": VDD_IN or POM_5V_IN, the module's input (scope module); where there is none, the sum
// of the rails that do not contain each other (scope rail). Shunt and sum channels (in4 to in7,
// curr4), disabled ones and those labelled NC are no rails.
std::vector<SensorInfo> list_ina3221(const os::SystemFiles& files);
Result<std::unique_ptr<EnergySource>> open_ina3221(const os::SystemFiles& files, Clock now);

}  // namespace edgelm::device
