#pragma once
// The device that `edgelm plan` plans for: a shipped passport, one of a file, or this machine with
// its measured speeds.

#include <string>

#include "base/result.h"
#include "predict/profile.h"

namespace edgelm::apps {

// `name` "": this device, below `sysroot` ("": this machine).
Result<predict::Device> plan_device(const std::string& name, const std::string& sysroot);

}  // namespace edgelm::apps
