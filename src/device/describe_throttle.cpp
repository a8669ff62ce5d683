// What throttles now or has throttled since the start, of every interface that tells: the Raspberry
// Pi's firmware, Intel's counters, over-current events and alarms of a Jetson, cooling devices that
// slow the processor.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "device/describe_parts.h"
#include "device/system_text.h"
#include "os/program.h"

namespace edgelm::device {
namespace {

constexpr std::size_t kMaxEntries = 256;
constexpr double kMostEvents = 1e15;

// Bits of the firmware's get_throttled (Raspberry Pi documentation, "vcgencmd").
void add_pi_bits(std::uint64_t bits, std::vector<std::string>& flags) {
  constexpr const char* kNames[] = {"under-voltage", "clock capped", "throttled",
                                    "soft temperature limit"};
  for (unsigned i = 0; i < 4; ++i) {
    if ((bits >> i & 1U) != 0) flags.push_back(fmt::format("{} now", kNames[i]));
    if ((bits >> (i + 16) & 1U) != 0) flags.push_back(fmt::format("{} since start", kNames[i]));
  }
}

std::optional<std::uint64_t> parse_bits(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint64_t bits = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, bits, 16);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return bits;
}

void add_pi(const os::SystemFiles& files, Throttle& throttle) {
  // Older kernels of Raspberry Pi OS have a file for it.
  constexpr const char* kFile = "/sys/devices/platform/soc/soc:firmware/get_throttled";
  if (const auto bits = parse_bits(files.line(kFile).value_or(""))) {
    add_pi_bits(*bits, throttle.flags);
    throttle.sources.emplace_back(kFile);
    return;
  }
  const auto answer = os::program_output(files, {"vcgencmd", "get_throttled"}, {.seconds = 2});
  if (!answer) return;
  const std::string_view line = trimmed(*answer);
  constexpr std::string_view kPrefix = "throttled=";
  if (!line.starts_with(kPrefix)) return;
  if (const auto bits = parse_bits(line.substr(kPrefix.size()))) {
    add_pi_bits(*bits, throttle.flags);
    throttle.sources.emplace_back("vcgencmd get_throttled");
  }
}

// Counters of linux/arch/x86/kernel/cpu/mce/therm_throt.c; all processors of a package show the
// same package counter, so the largest stands for all.
void add_intel(const os::SystemFiles& files, Throttle& throttle) {
  bool found = false;
  const auto cpus = online_cpus(files, read_cpuinfo(files));
  for (const char* what : {"core", "package"}) {
    double most = 0;
    for (const std::uint32_t cpu : cpus) {
      const auto count = number_line(
          files,
          fmt::format("/sys/devices/system/cpu/cpu{}/thermal_throttle/{}_throttle_count", cpu,
                      what),
          0, kMostEvents);
      found = found || count;
      most = std::max(most, count.value_or(0));
    }
    if (most > 0)
      throttle.flags.push_back(fmt::format("{} throttled {:.0f} times since start", what, most));
  }
  if (found) throttle.sources.emplace_back("thermal_throttle counters");
}

// Alarms and over-current events of one hwmon device.
void add_hwmon(const os::SystemFiles& files, const std::string& folder, Throttle& throttle) {
  const std::string device = text_line(files, folder + "name").value_or("hwmon");
  bool found = false;
  std::size_t n = 0;
  for (const std::string& file : files.list(folder)) {
    const bool events = file.starts_with("oc") && file.ends_with("_event_cnt");
    const bool alarm = file.ends_with("_crit_alarm") || file.ends_with("_lcrit_alarm");
    if ((!events && !alarm) || ++n > kMaxEntries) continue;
    const auto value = number_line(files, folder + file, 0, kMostEvents);
    found = found || value;
    if (!value || *value <= 0) continue;
    const std::string channel = file.substr(0, file.find('_'));
    if (events) {
      throttle.flags.push_back(
          fmt::format("over-current {}: {:.0f} events since start", channel.substr(2), *value));
    } else if (device == "rpi_volt") {
      throttle.flags.emplace_back("under-voltage now");
    } else {
      const std::string rail =
          text_line(files, folder + "in" + channel.substr(4) + "_label").value_or(channel);
      throttle.flags.push_back(fmt::format("{} {} beyond its critical limit now", device,
                                           channel.starts_with("curr") ? rail : channel));
    }
  }
  if (found) throttle.sources.push_back("hwmon " + device);
}

bool slows_the_processor(std::string_view type) {
  return type.find("cpufreq") != std::string_view::npos || type == "Processor" ||
         type.find("powerclamp") != std::string_view::npos;
}

void add_cooling(const os::SystemFiles& files, Throttle& throttle) {
  const std::string folder = "/sys/class/thermal/";
  bool found = false;
  std::size_t n = 0;
  for (const std::string& name : files.list(folder)) {
    if (!name.starts_with("cooling_device") || ++n > kMaxEntries) continue;
    const auto type = text_line(files, folder + name + "/type");
    if (!type || !slows_the_processor(*type)) continue;
    const auto state = number_line(files, folder + name + "/cur_state", -1, kMostEvents);
    found = found || state;
    if (state && *state > 0)
      throttle.flags.push_back(fmt::format("cooling device {} at state {:.0f} now", *type, *state));
  }
  if (found) throttle.sources.emplace_back("cooling devices");
}

}  // namespace

Throttle describe_throttle(const os::SystemFiles& files) {
  Throttle throttle;
  add_pi(files, throttle);
  add_intel(files, throttle);
  const std::string hwmon = "/sys/class/hwmon/";
  std::size_t n = 0;
  for (const std::string& name : files.list(hwmon)) {
    std::string folder = hwmon;
    folder.append(name).append("/");
    if (++n <= kMaxEntries) add_hwmon(files, folder, throttle);
  }
  add_cooling(files, throttle);
  return throttle;
}

}  // namespace edgelm::device
