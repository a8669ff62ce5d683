#pragma once
// The passports of boards that are part of the program (data/passports), found by a name that
// people would type: "Raspberry Pi 5 8 GB", "pi5-8gb", "orin nano".

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/passport.h"

namespace edgelm::predict {

const std::vector<device::Passport>& shipped_passports();

// kNotFound with the list of names; kUsage when several match.
Result<device::Passport> find_passport(std::string_view name);

// A shipped one, or that of a file as `edgelm device -o json` writes it.
Result<device::Passport> load_passport(const std::string& name_or_path);

}  // namespace edgelm::predict
