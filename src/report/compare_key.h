#pragma once
// What makes two records counterparts: device and settings, but for the version of the engine (what
// comparisons are made for) and the settings that `across` names. Used by compare.cpp alone.

#include <set>
#include <string>

#include "measure/record.h"
#include "quality/record.h"

namespace edgelm::report {

std::string pairing_key(const measure::Record& record, const std::set<std::string>& across);
std::string pairing_key(const quality::Record& record, const std::set<std::string>& across);
// For people: "qwen2.5-1.5b Q4_0 pp512+tg128 4 thr".
std::string pairing_label(const measure::Record& record);

}  // namespace edgelm::report
