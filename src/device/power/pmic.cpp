// The text of pmic_read_adc, and the two sources made of it.

#include "device/power/pmic.h"

#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "device/power/checked_reading.h"
#include "os/program.h"

namespace edgelm::device {
namespace {

constexpr double kMostAmps = 50;
constexpr double kMostVolts = 60;

struct Pair {
  std::optional<double> amps;
  std::optional<double> volts;
};

// "current(0)=0.0742A" -> 0.0742
Result<double> number_of(std::string_view text, char unit, double most, std::string_view name) {
  const std::size_t equals = text.find('=');
  double value = 0;
  if (equals != std::string_view::npos) {
    const std::string_view number = text.substr(equals + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    const bool whole = end + 1 == number.data() + number.size() && *end == unit;
    if (error == std::errc{} && whole && std::isfinite(value) && std::abs(value) <= most)
      return value;
  }
  return fail(ErrorCode::kFormat, "pmic_read_adc: {}: expected ...=NUMBER{}, got '{}'", name, unit,
              text.substr(0, 40));
}

// The next word of `rest`, which is cut off it.
std::string_view next_word(std::string_view& rest) {
  const std::size_t begin = std::min(rest.find_first_not_of(" \t\r\n"), rest.size());
  const std::size_t end = std::min(rest.find_first_of(" \t\r\n", begin), rest.size());
  const std::string_view word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

RunProgram default_run(const os::SystemFiles& files) {
  return [&files](const std::vector<std::string>& arguments) {
    return os::program_output(files, arguments, {.seconds = 5, .output_bytes = 65536});
  };
}

SensorInfo info_of(bool board) {
  SensorInfo info;
  info.id = board ? "pmic-board" : "pmic";
  info.name = board ? "Raspberry Pi 5 board, modelled from its power management chip"
                    : "Raspberry Pi 5 power management chip, sum of its rails";
  info.scope = board ? Scope::kModelled : Scope::kRail;
  info.period_s = 0.5;
  info.min_window_s = 10;
  // Assumed: no accuracy is published, and the fit does not know what hangs on USB or PCIe.
  info.relative_uncertainty = board ? 0.1 : 0.05;
  info.quantum = 0.01;
  return info;
}

class Pmic final : public EnergySource {
 public:
  Pmic(SensorInfo info, Clock now, RunProgram run)
      : info_(std::move(info)), now_(std::move(now)), run_(std::move(run)) {}

  const SensorInfo& info() const override { return info_; }

  Result<Reading> read() override {
    return timed(now_, [this]() -> Result<double> {
      EDGELM_TRY_ASSIGN(const std::string text, run_({"vcgencmd", "pmic_read_adc"}));
      EDGELM_TRY_ASSIGN(const double watts, pmic_watts(text));
      return info_.scope == Scope::kModelled ? pmic_board_watts(watts) : watts;
    });
  }

 private:
  SensorInfo info_;
  Clock now_;
  RunProgram run_;
};

}  // namespace

Result<double> pmic_watts(std::string_view text) {
  std::map<std::string_view, Pair> rails;
  std::string_view rest = text;
  for (std::string_view name = next_word(rest); !name.empty(); name = next_word(rest)) {
    const bool amps = name.ends_with("_A");
    if (!amps && !name.ends_with("_V"))
      return fail(ErrorCode::kFormat, "pmic_read_adc: expected NAME_A or NAME_V, got '{}'",
                  name.substr(0, 40));
    const std::string_view value = next_word(rest);
    Pair& pair = rails[name.substr(0, name.size() - 2)];
    std::optional<double>& slot = amps ? pair.amps : pair.volts;
    if (slot) return fail(ErrorCode::kFormat, "pmic_read_adc: {} is there twice", name);
    EDGELM_TRY_ASSIGN(slot,
                      number_of(value, amps ? 'A' : 'V', amps ? kMostAmps : kMostVolts, name));
  }
  double watts = 0;
  std::size_t pairs = 0;
  for (const auto& [name, pair] : rails) {
    if (!pair.amps || !pair.volts) continue;  // EXT5V_V and BATT_V have no current
    watts += *pair.amps * *pair.volts;
    ++pairs;
  }
  if (pairs == 0)
    return fail(ErrorCode::kFormat, "pmic_read_adc: no rail with both current and voltage in '{}'",
                text.substr(0, 60));
  return plausible_watts(watts, "pmic_read_adc");
}

std::vector<SensorInfo> list_pmic(const os::SystemFiles& files, const RunProgram& run) {
  const Result<std::string> model = files.line("/proc/device-tree/model");
  if (!model || model->find("Raspberry Pi") == std::string::npos) return {};
  std::vector<SensorInfo> sensors{info_of(false), info_of(true)};
  const bool has_pmic = model->find("Pi 5") != std::string::npos ||
                        model->find("Module 5") != std::string::npos ||
                        model->find("Pi 500") != std::string::npos;
  if (!has_pmic) {
    sensors.pop_back();
    sensors.front().name = "power management chip";
    sensors.front().not_readable =
        fmt::format("{} measures no currents (boards since the Raspberry Pi 5 do)", *model);
    sensors.front().hint = "use a plug (--power shelly:HOST) or a meter (--power command:PROGRAM)";
    return sensors;
  }
  const Result<std::string> text = (run ? run : default_run(files))({"vcgencmd", "pmic_read_adc"});
  const Result<double> watts = text ? pmic_watts(*text) : fail(text.error());
  if (watts) return sensors;
  for (SensorInfo& info : sensors) {
    info.not_readable = watts.error().message;
    info.hint = watts.error().code == ErrorCode::kNotFound
                    ? "sudo apt install raspi-utils"
                    : "sudo usermod -aG video $USER  (then log in again)";
  }
  return sensors;
}

Result<std::unique_ptr<EnergySource>> open_pmic(const std::string& id, const os::SystemFiles& files,
                                                Clock now, RunProgram run) {
  if (!run) run = default_run(files);
  return std::make_unique<Pmic>(info_of(id == "pmic-board"), std::move(now), std::move(run));
}

}  // namespace edgelm::device
