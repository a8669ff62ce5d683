// Finds the rails, and multiplies voltage and current.

#include "device/power/ina3221.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "device/power/checked_reading.h"

namespace edgelm::device {
namespace {

struct Rail {
  std::string label;
  std::string millivolts;  // path
  std::string milliamps;   // path
};

struct Chips {
  std::vector<Rail> rails;
  double update_s = 0;  // slowest
};

// Adds rail `label` unless it is none.
void add_rail(Chips& chips, const Result<std::string>& label, std::string name, std::string volts,
              std::string amps) {
  if (label) {
    if (label->empty() || *label == "NC") return;
    name = *label;
  }
  chips.rails.push_back({std::move(name), std::move(volts), std::move(amps)});
}

// Channels 1 to 3 of a hwmon folder; 4 and beyond are shunt voltages and sums
// (kernel: Documentation/hwmon/ina3221.rst).
void add_hwmon(const os::SystemFiles& files, const std::string& folder, Chips& chips) {
  for (int i = 1; i <= 3; ++i) {
    std::string volts = fmt::format("{}/in{}_input", folder, i);
    std::string amps = fmt::format("{}/curr{}_input", folder, i);
    const Result<long long> enabled = files.integer(fmt::format("{}/in{}_enable", folder, i));
    if ((enabled && *enabled == 0) || !files.read(volts) || !files.read(amps)) continue;
    add_rail(chips, files.line(fmt::format("{}/in{}_label", folder, i)),
             fmt::format("channel {}", i), std::move(volts), std::move(amps));
  }
  const Result<long long> interval = files.integer(folder + "/update_interval");
  if (interval && *interval > 0 && *interval < 60'000)
    chips.update_s = std::max(chips.update_s, static_cast<double>(*interval) * 1e-3);
}

void add_iio(const os::SystemFiles& files, const std::string& folder, Chips& chips) {
  for (int i = 0; i < 3; ++i) {
    std::string volts = fmt::format("{}/in_voltage{}_input", folder, i);
    std::string amps = fmt::format("{}/in_current{}_input", folder, i);
    if (!files.read(volts) || !files.read(amps)) continue;
    add_rail(chips, files.line(fmt::format("{}/rail_name_{}", folder, i)),
             fmt::format("channel {}", i), std::move(volts), std::move(amps));
  }
}

Chips find_chips(const os::SystemFiles& files) {
  Chips chips;
  for (const char* driver : {"/sys/bus/i2c/drivers/ina3221", "/sys/bus/i2c/drivers/ina3221x"}) {
    for (const std::string& chip : files.list(driver)) {
      const std::string folder = fmt::format("{}/{}", driver, chip);
      for (const std::string& name : files.list(folder + "/hwmon"))
        add_hwmon(files, fmt::format("{}/hwmon/{}", folder, name), chips);
      for (const std::string& name : files.list(folder))
        if (name.starts_with("iio:device"))
          add_iio(files, fmt::format("{}/{}", folder, name), chips);
    }
  }
  if (!chips.rails.empty()) return chips;
  for (const std::string& name : files.list("/sys/class/hwmon")) {
    const std::string folder = "/sys/class/hwmon/" + name;
    const Result<std::string> chip = files.line(folder + "/name");
    if (chip && chip->starts_with("ina3221")) add_hwmon(files, folder, chips);
  }
  return chips;
}

// Rails taken to be inside another: of the AGX modules the memory's and always-on supply, which the
// 5 V system rail is assumed to feed. NVIDIA does not publish the wiring inside the modules;
// counting such a rail once gives the lower bound.
bool inside_another(const Rail& rail, const std::vector<Rail>& all) {
  const auto present = [&all](std::string_view label) {
    return std::any_of(all.begin(), all.end(), [&](const Rail& r) { return r.label == label; });
  };
  return (rail.label == "VDDQ_VDD2_1V8AO" && present("VIN_SYS_5V0")) ||
         (rail.label == "VDDRQ" && present("SYS5V"));
}

struct Choice {
  std::vector<Rail> rails;
  SensorInfo info;
};

Choice choose(const os::SystemFiles& files) {
  const Chips chips = find_chips(files);
  Choice choice;
  SensorInfo& info = choice.info;
  info.id = "ina3221";
  info.scope = Scope::kRail;
  for (const Rail& rail : chips.rails) {
    if (rail.label != "VDD_IN" && rail.label != "POM_5V_IN") continue;
    choice.rails = {rail};
    info.scope = Scope::kModule;
    break;
  }
  if (choice.rails.empty())
    for (const Rail& rail : chips.rails)
      if (!inside_another(rail, chips.rails)) choice.rails.push_back(rail);
  info.name = "INA3221:";
  for (const Rail& rail : choice.rails)
    info.name.append(&rail == choice.rails.data() ? " " : " + ").append(rail.label);
  if (info.scope == Scope::kModule) info.name += " (whole module)";
  info.period_s = std::clamp(chips.update_s, 0.1, 1.0);
  info.update_s = info.period_s;
  info.min_window_s = 2;
  info.relative_uncertainty = 0.02;  // gain of 1 % (data sheet SBOS576) and the shunt's tolerance
  info.quantum = 0.04;               // 40 uV over 5 mOhm at 5 V
  return choice;
}

class Ina3221 final : public EnergySource {
 public:
  Ina3221(const os::SystemFiles& files, Clock now, Choice choice)
      : files_(files), now_(std::move(now)), choice_(std::move(choice)) {}

  const SensorInfo& info() const override { return choice_.info; }

  Result<Reading> read() override {
    return timed(now_, [this]() -> Result<double> {
      double watts = 0;
      for (const Rail& rail : choice_.rails) {
        EDGELM_TRY_ASSIGN(const long long millivolts, files_.integer(rail.millivolts));
        EDGELM_TRY_ASSIGN(const long long milliamps, files_.integer(rail.milliamps));
        watts += static_cast<double>(millivolts) * static_cast<double>(milliamps) * 1e-6;
      }
      return plausible_watts(watts, choice_.info.name);
    });
  }

 private:
  const os::SystemFiles& files_;
  Clock now_;
  Choice choice_;
};

}  // namespace

std::vector<SensorInfo> list_ina3221(const os::SystemFiles& files) {
  Choice choice = choose(files);
  if (choice.rails.empty()) return {};
  return {std::move(choice.info)};
}

Result<std::unique_ptr<EnergySource>> open_ina3221(const os::SystemFiles& files, Clock now) {
  Choice choice = choose(files);
  if (choice.rails.empty())
    return fail(ErrorCode::kNotFound, "ina3221: no such power monitor with a rail in use");
  return std::make_unique<Ina3221>(files, std::move(now), std::move(choice));
}

}  // namespace edgelm::device
