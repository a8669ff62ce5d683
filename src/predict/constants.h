#pragma once
// The fitted constants as a table (data/reference/constants.csv) and back. The table is what
// `edgelm plan --fit` writes; a test holds that a new fit of the shipped data gives it again.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "predict/profile.h"

namespace edgelm::predict {

std::string constants_csv(const std::vector<Profile>& profiles);
Result<std::vector<Profile>> parse_constants(std::string_view csv, const std::string& name);

const std::vector<Profile>& shipped_profiles();  // part of the program

}  // namespace edgelm::predict
