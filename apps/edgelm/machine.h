#pragma once
// The machine that --sysroot names, described: for `edgelm device` and `edgelm plan`, which refuse
// the same folders with the same words.

#include <string>

#include "base/result.h"
#include "device/passport.h"

namespace edgelm::apps {

bool is_folder(const std::string& path);

// Without speeds. `sysroot` "": this machine. kNotFound when it is no folder.
Result<device::Passport> describe_machine(const std::string& sysroot);

}  // namespace edgelm::apps
