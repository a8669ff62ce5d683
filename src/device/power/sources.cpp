// The list of sources, their order, and the spelling of --power.

#include "device/power/sources.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "device/power/battery.h"
#include "device/power/command_source.h"
#include "device/power/hwmon.h"
#include "device/power/ina3221.h"
#include "device/power/nvml.h"
#include "device/power/perf_power.h"
#include "device/power/plug.h"
#include "device/power/pmic.h"
#include "device/power/rapl.h"
#include "device/power/recorded_file.h"
#include "os/clock.h"

namespace edgelm::device {
namespace {

// What "auto" prefers: more of the device first, measured before modelled, short windows before
// long ones. Scopes that are not here are read when they are named: a GPU's watts say nothing of
// what a processor does, and often they are the only ones that everybody may read.
constexpr std::array kPreference{Scope::kWall, Scope::kBoard,    Scope::kModule, Scope::kPackage,
                                 Scope::kRail, Scope::kModelled, Scope::kBattery};

std::ptrdiff_t rank(const SensorInfo& info) {
  // The platform counter is not validated, see rapl.h: the worst of those that are known.
  if (info.id == "rapl-psys") return std::ssize(kPreference);
  const auto* const place = std::find(kPreference.begin(), kPreference.end(), info.scope);
  return place == kPreference.end() ? std::ssize(kPreference) + 1 : place - kPreference.begin();
}

bool chosen_by_auto(const SensorInfo& info) {
  return info.not_readable.empty() && rank(info) < std::ssize(kPreference);
}

Result<std::unique_ptr<EnergySource>> open_listed(const SensorInfo& info,
                                                  const os::SystemFiles& files) {
  if (!info.not_readable.empty())
    return fail(ErrorCode::kPermission, "{} cannot be read: {}{}{}", info.id, info.not_readable,
                info.hint.empty() ? "" : ". Try: ", info.hint);
  const Clock now = os::now_ns;
  if (info.id.starts_with("rapl")) return open_rapl(info.id, files, now);
  if (info.id == "ina3221") return open_ina3221(files, now);
  if (info.id.starts_with("pmic")) return open_pmic(info.id, files, now);
  if (info.id.starts_with("hwmon:")) return open_hwmon(info.id, files, now);
  if (info.id == "battery") return open_battery(files, now);
  if (info.id == "perf") return open_perf_power(files, now);
  if (info.id.starts_with("nvml")) return open_nvml(info.id, now);
  return fail(ErrorCode::kInternal, "{}: listed, but nothing opens it", info.id);
}

std::string ids_of(const std::vector<SensorInfo>& sensors) {
  std::string text;
  for (const SensorInfo& info : sensors) text.append(text.empty() ? "" : ", ").append(info.id);
  return text.empty() ? "no sensor on this device" : "on this device: " + text;
}

void append(std::vector<SensorInfo>& all, std::vector<SensorInfo> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<SensorInfo> list_sensors(const os::SystemFiles& files) {
  std::vector<SensorInfo> all;
  append(all, list_ina3221(files));
  append(all, list_rapl(files));
  append(all, list_perf_power(files));
  append(all, list_pmic(files));
  append(all, list_hwmon(files));
  append(all, list_battery(files));
  append(all, list_nvml(files));
  std::stable_sort(all.begin(), all.end(),
                   [](const SensorInfo& a, const SensorInfo& b) { return rank(a) < rank(b); });
  return all;
}

Result<std::unique_ptr<EnergySource>> open_source(const std::string& spec,
                                                  const os::SystemFiles& files) {
  if (spec == "none") return nullptr;
  const Clock now = os::now_ns;
  if (spec.starts_with("file:")) return open_recorded_file(spec.substr(5), now);
  if (spec.starts_with("command:")) return open_command(spec.substr(8), files, now);
  if (spec.starts_with("shelly:")) return open_shelly(spec.substr(7), now);
  if (spec.starts_with("tasmota:")) return open_tasmota(spec.substr(8), now);
  const std::vector<SensorInfo> sensors = list_sensors(files);
  if (spec == "auto" || spec.empty()) {
    for (const SensorInfo& info : sensors) {
      if (!chosen_by_auto(info)) continue;
      Result<std::unique_ptr<EnergySource>> source = open_listed(info, files);
      if (source) return source;
    }
    return nullptr;
  }
  for (const SensorInfo& info : sensors)
    if (info.id == spec) return open_listed(info, files);
  return fail(ErrorCode::kUsage,
              "--power {}: no such sensor ({}; also: auto, none, shelly:HOST, tasmota:HOST, "
              "file:PATH, command:PROGRAM)",
              spec, ids_of(sensors));
}

std::string why_no_source(const std::string& spec, const os::SystemFiles& files) {
  if (spec == "none") return "turned off (--power none)";
  std::string reasons;
  for (const SensorInfo& info : list_sensors(files)) {
    if (!reasons.empty()) reasons += "; ";
    reasons.append(info.id).append(": ");
    if (info.not_readable.empty()) {
      reasons.append(scope_name(info.scope)).append(" only, read when named with --power");
      continue;
    }
    reasons.append(info.not_readable);
    if (!info.hint.empty()) reasons.append(" (try: ").append(info.hint).append(")");
  }
  return reasons.empty() ? "no power sensor on this device"
                         : "no power sensor of this device can be read (" + reasons + ")";
}

}  // namespace edgelm::device
