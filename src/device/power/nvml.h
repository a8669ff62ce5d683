#pragma once
// NVIDIA's management library, loaded when asked for: nothing of it is needed to build or to run
// without. Opened by sources.cpp. Its functions are declared in nvml.cpp as the published interface
// states them (NVML API Reference, "Device Queries").

#include <memory>
#include <string>
#include <vector>

#include "device/power/recorder.h"
#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

constexpr const char* kNvmlLibrary = "libnvidia-ml.so.1";

// "nvml" is the first GPU, "nvml:N" another. The energy counter where there is one (Volta and
// later), else the power of now, which newer drivers average over a second. Nothing on a recorded
// machine (another root than ""), and nothing when the library is absent.
std::vector<SensorInfo> list_nvml(const os::SystemFiles& files,
                                  const std::string& library = kNvmlLibrary);
Result<std::unique_ptr<EnergySource>> open_nvml(const std::string& id, Clock now,
                                                const std::string& library = kNvmlLibrary);

// What slows down any of the GPUs, for the state that is sampled along: "GPU power cap",
// "GPU temperature", "GPU power brake", "GPU hardware slowdown". Null when there is no GPU that
// says (no library, a driver without the function, a recorded machine). Loads the library once.
ThrottleWatch watch_nvml(const os::SystemFiles& files, const std::string& library = kNvmlLibrary);

}  // namespace edgelm::device
