// The power_supply class of the kernel (Documentation/ABI/testing/sysfs-class-power).

#include "device/power/battery.h"

#include <cmath>
#include <string>
#include <utility>

#include "device/power/checked_reading.h"

namespace edgelm::device {
namespace {

constexpr const char* kSupplies = "/sys/class/power_supply";

// Folders of batteries that feed this machine, not a mouse's.
std::vector<std::string> batteries(const os::SystemFiles& files) {
  std::vector<std::string> folders;
  for (const std::string& name : files.list(kSupplies)) {
    std::string folder = fmt::format("{}/{}", kSupplies, name);
    const Result<std::string> type = files.line(folder + "/type");
    const Result<std::string> scope = files.line(folder + "/scope");
    const Result<long long> present = files.integer(folder + "/present");
    if (!type || *type != "Battery" || (scope && *scope == "Device") || (present && *present == 0))
      continue;
    folders.push_back(std::move(folder));
  }
  return folders;
}

Result<double> watts_of(const os::SystemFiles& files, const std::string& folder) {
  const Result<long long> microwatts = files.integer(folder + "/power_now");
  if (microwatts) return std::abs(static_cast<double>(*microwatts)) * 1e-6;
  if (microwatts.error().code != ErrorCode::kNotFound) return fail(microwatts.error());
  EDGELM_TRY_ASSIGN(const long long microamps, files.integer(folder + "/current_now"));
  EDGELM_TRY_ASSIGN(const long long microvolts, files.integer(folder + "/voltage_now"));
  return std::abs(static_cast<double>(microamps)) * std::abs(static_cast<double>(microvolts)) *
         1e-12;
}

Result<double> discharge_watts(const os::SystemFiles& files,
                               const std::vector<std::string>& folders) {
  double watts = 0;
  bool discharging = false;
  std::string state;
  for (const std::string& folder : folders) {
    EDGELM_TRY_ASSIGN(const std::string status, files.line(folder + "/status"));
    state = status;
    if (status == "Charging")
      return fail(ErrorCode::kUnsupported, "{} is charging: what it takes is not what is used",
                  folder);
    if (status != "Discharging") continue;
    discharging = true;
    EDGELM_TRY_ASSIGN(const double part, watts_of(files, folder));
    watts += part;
  }
  if (!discharging)
    return fail(ErrorCode::kUnsupported, "no battery discharges ({}): it feeds nothing",
                state.substr(0, 20));
  return plausible_watts(watts, "battery");
}

class Battery final : public EnergySource {
 public:
  Battery(const os::SystemFiles& files, Clock now, SensorInfo info,
          std::vector<std::string> folders)
      : files_(files), now_(std::move(now)), info_(std::move(info)), folders_(std::move(folders)) {}

  const SensorInfo& info() const override { return info_; }
  Result<Reading> read() override {
    return timed(now_, [this] { return discharge_watts(files_, folders_); });
  }

 private:
  const os::SystemFiles& files_;
  Clock now_;
  SensorInfo info_;
  std::vector<std::string> folders_;
};

}  // namespace

std::vector<SensorInfo> list_battery(const os::SystemFiles& files) {
  const std::vector<std::string> folders = batteries(files);
  if (folders.empty()) return {};
  SensorInfo info;
  info.id = "battery";
  info.name = folders.size() == 1 ? "battery" : fmt::format("{} batteries", folders.size());
  info.scope = Scope::kBattery;
  info.period_s = 2;
  info.update_s = 30;  // fuel gauges average over tens of seconds
  info.min_window_s = 300;
  info.relative_uncertainty = 0.05;
  info.quantum = 0.01;
  const Result<double> watts = discharge_watts(files, folders);
  if (!watts) {
    info.not_readable = watts.error().message;
    if (watts.error().code == ErrorCode::kUnsupported) info.hint = "unplug the charger";
  }
  return {info};
}

Result<std::unique_ptr<EnergySource>> open_battery(const os::SystemFiles& files, Clock now) {
  std::vector<SensorInfo> sensors = list_battery(files);
  if (sensors.empty()) return fail(ErrorCode::kNotFound, "battery: none in {}", kSupplies);
  return std::make_unique<Battery>(files, std::move(now), std::move(sensors.front()),
                                   batteries(files));
}

}  // namespace edgelm::device
