#pragma once
// The device that `edgelm plan` plans for: a shipped passport, one of a file, a recorded machine,
// or this one with its measured speeds. Two steps, so that what a user named wrong is refused
// before anything is measured.

#include <string>

#include "base/result.h"
#include "predict/profile.h"

namespace edgelm::apps {

// Without measuring. `name` "": the machine whose files are below `sysroot`, or this one when that
// is "" as well.
Result<predict::Device> plan_device(const std::string& name, const std::string& sysroot);

// This machine's speeds, kept from an earlier time or measured now, and what its caches give.
Result<predict::Device> with_speeds(device::Passport passport);

}  // namespace edgelm::apps
