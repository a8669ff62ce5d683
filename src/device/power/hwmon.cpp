// Finds the channels, names them, and reads micro-watts or micro-joules.

#include "device/power/hwmon.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "device/power/checked_reading.h"
#include "device/power/wrapping_counter.h"

namespace edgelm::device {
namespace {

constexpr const char* kHwmon = "/sys/class/hwmon";

struct Channel {
  std::string path;
  SensorInfo info;
};

struct Chip {
  std::string_view name;
  Scope scope;
};
// Chips whose channels are known to be of something.
constexpr std::array<Chip, 7> kChips{{{"amdgpu", Scope::kGpu},
                                      {"i915", Scope::kGpu},
                                      {"xe", Scope::kGpu},
                                      {"amd_energy", Scope::kPackage},
                                      {"fam15h_power", Scope::kPackage},
                                      {"power_meter", Scope::kBoard},  // ACPI, servers
                                      {"ina2xx", Scope::kRail}}};

Scope scope_of(std::string_view chip, std::string_view label) {
  if (label == "Total System Power") return Scope::kBoard;  // macsmc_hwmon, Apple laptops
  for (const Chip& known : kChips)
    if (known.name == chip) return known.scope;
  return Scope::kUnknown;
}

// "power12_input" -> "power12"; "" for another file.
std::string channel_of(std::string_view file, std::string_view kind, std::string_view suffix) {
  if (!file.starts_with(kind) || !file.ends_with(suffix)) return "";
  const std::string_view number =
      file.substr(kind.size(), file.size() - kind.size() - suffix.size());
  const bool digits = !number.empty() && std::all_of(number.begin(), number.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::string(file.substr(0, kind.size() + number.size())) : "";
}

Channel make_channel(const os::SystemFiles& files, const std::string& folder,
                     const std::string& chip, const std::string& channel, std::string_view suffix) {
  Channel made;
  made.path = fmt::format("{}/{}{}", folder, channel, suffix);
  SensorInfo& info = made.info;
  info.counter = channel.starts_with("energy");
  const Result<std::string> label = files.line(fmt::format("{}/{}_label", folder, channel));
  const std::string name = label && !label->empty() ? *label : channel;
  info.id = fmt::format("hwmon:{}/{}", chip, name);
  info.name = fmt::format("hwmon {}, {}", chip, name);
  info.scope = scope_of(chip, name);
  info.period_s = 0.2;
  info.update_s = 0.1;
  info.min_window_s = 2;
  info.relative_uncertainty = 0.05;
  info.quantum = info.counter ? 1e-3 : 1e-2;
  const Result<long long> interval =
      files.integer(fmt::format("{}/{}_average_interval", folder, channel));
  if (suffix == "_average" && interval && *interval > 0 && *interval < 3'600'000) {
    info.update_s = static_cast<double>(*interval) * 1e-3;
    info.period_s = std::clamp(info.update_s, 0.2, 10.0);
    info.min_window_s = std::max(2.0, 10 * info.update_s);
  }
  const Result<long long> value = files.integer(made.path);
  if (!value) {
    info.not_readable = value.error().message;
    if (value.error().code == ErrorCode::kPermission)
      info.hint = fmt::format("sudo chmod a+r {}  (until the next start)", made.path);
  }
  return made;
}

void add_chip(const os::SystemFiles& files, const std::string& folder, std::vector<Channel>& all) {
  const Result<std::string> chip = files.line(folder + "/name");
  if (!chip || chip->empty() || chip->starts_with("ina3221")) return;
  const std::vector<std::string> supplies = files.list("/sys/class/power_supply");
  if (std::find(supplies.begin(), supplies.end(), *chip) != supplies.end()) return;
  std::vector<Channel> found;
  std::vector<std::string> taken;
  const std::vector<std::string> names = files.list(folder);
  using Kind = std::pair<std::string_view, std::string_view>;
  for (const auto& [kind, suffix] :
       {Kind{"energy", "_input"}, Kind{"power", "_input"}, Kind{"power", "_average"}}) {
    for (const std::string& file : names) {
      const std::string channel = channel_of(file, kind, suffix);
      if (channel.empty() || std::find(taken.begin(), taken.end(), channel) != taken.end())
        continue;
      taken.push_back(channel);
      Channel made = make_channel(files, folder, *chip, channel, suffix);
      const bool core = *chip == "amd_energy" && made.info.id.find("core") != std::string::npos;
      if (!core) found.push_back(std::move(made));
    }
  }
  if (found.size() == 1) found.front().info.id = "hwmon:" + *chip;
  all.insert(all.end(), std::make_move_iterator(found.begin()),
             std::make_move_iterator(found.end()));
}

std::vector<Channel> channels(const os::SystemFiles& files) {
  std::vector<Channel> all;
  for (const std::string& name : files.list(kHwmon))
    add_chip(files, fmt::format("{}/{}", kHwmon, name), all);
  // Two chips of one name (two graphics cards): the second is called CHIP#2.
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string id = all[i].info.id;
    int copy = 1;
    for (std::size_t j = i + 1; j < all.size(); ++j)
      if (all[j].info.id == id) all[j].info.id = fmt::format("{}#{}", id, ++copy);
  }
  return all;
}

class Hwmon final : public EnergySource {
 public:
  Hwmon(const os::SystemFiles& files, Clock now, Channel channel)
      : files_(files), now_(std::move(now)), channel_(std::move(channel)) {}

  const SensorInfo& info() const override { return channel_.info; }

  Result<Reading> read() override {
    if (!channel_.info.counter)
      return timed(now_, [this]() -> Result<double> {
        EDGELM_TRY_ASSIGN(const long long microwatts, files_.integer(channel_.path));
        return plausible_watts(static_cast<double>(microwatts) * 1e-6, channel_.path);
      });
    const std::int64_t begin = now_();
    EDGELM_TRY_ASSIGN(const long long microjoules, files_.integer(channel_.path));
    if (microjoules < 0)
      return fail(ErrorCode::kFormat, "{}: {} is no energy", channel_.path, microjoules);
    const std::int64_t t = begin + (now_() - begin) / 2;
    EDGELM_TRY_ASSIGN(const std::optional<double> joules,
                      counter_.step(static_cast<std::uint64_t>(microjoules), t));
    total_ += joules.value_or(0);
    return Reading{t, total_, !joules.has_value()};
  }

 private:
  const os::SystemFiles& files_;
  Clock now_;
  Channel channel_;
  WrappingCounter counter_{0, 1e-6};  // the drivers extend it to 64 bits
  double total_ = 0;
};

}  // namespace

std::vector<SensorInfo> list_hwmon(const os::SystemFiles& files) {
  std::vector<SensorInfo> sensors;
  std::vector<Channel> all = channels(files);
  sensors.reserve(all.size());
  for (Channel& channel : all) sensors.push_back(std::move(channel.info));
  return sensors;
}

Result<std::unique_ptr<EnergySource>> open_hwmon(const std::string& id,
                                                 const os::SystemFiles& files, Clock now) {
  for (Channel& channel : channels(files))
    if (channel.info.id == id)
      return std::make_unique<Hwmon>(files, std::move(now), std::move(channel));
  return fail(ErrorCode::kNotFound, "{}: no such power or energy channel in {}", id, kHwmon);
}

}  // namespace edgelm::device
