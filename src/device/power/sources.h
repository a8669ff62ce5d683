#pragma once
// All power sensors of a machine, and `--power SPEC`. Called by the passport (what is there) and by
// the commands that measure (open one).

#include <memory>
#include <string>
#include <vector>

#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

// Everything that exists here, readable or not (then with the reason and what to type). Cheap: no
// network; sensors in preference order of "auto". Plugs, files and commands are not searched for.
std::vector<SensorInfo> list_sensors(const os::SystemFiles& files);

// SPEC: "auto": the best readable sensor (board before module, package, rails, modelled, battery;
// never a GPU's alone or one of unknown scope); null when there is none. "none": null. Else one of
// list_sensors by its id, or
//   shelly:HOST  tasmota:HOST   a plug in the local network (wall)
//   file:PATH                   CSV with header t_s,watts or t_s,joules (recorded_file.h)
//   command:PROGRAM ARGS...     prints watts, or "t W" (command_source.h)
// kUsage with the list of what there is when SPEC is nothing known; kPermission and others with the
// hint when it is there but cannot be read. `files` must outlive the source.
Result<std::unique_ptr<EnergySource>> open_source(const std::string& spec,
                                                  const os::SystemFiles& files);

// For the n/a of a null source: "no power sensor on this device", "turned off (--power none)", or
// why those that are there cannot be read.
std::string why_no_source(const std::string& spec, const os::SystemFiles& files);

}  // namespace edgelm::device
