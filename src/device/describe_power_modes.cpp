// Power modes that a sweep can choose from: nvpmodel's on a Jetson, otherwise the governors of
// cpufreq.

#include "base/printable.h"
#include "device/describe_parts.h"
#include "device/system_text.h"
#include "os/program.h"

namespace edgelm::device {
namespace {

constexpr std::size_t kMaxModes = 64;

struct JetsonMode {
  std::uint64_t id = 0;
  std::string name;
};

// Lines "< POWER_MODEL ID=1 NAME=25W >".
std::vector<JetsonMode> jetson_modes(std::string_view text) {
  std::vector<JetsonMode> modes;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 4 || words[0] != "<" || words[1] != "POWER_MODEL") continue;
    if (!words[2].starts_with("ID=") || !words[3].starts_with("NAME=")) continue;
    const auto id = parse_unsigned(words[2].substr(3));
    std::string name = printable(words[3].substr(5));
    if (id && !name.empty() && modes.size() < kMaxModes) modes.push_back({*id, std::move(name)});
  }
  return modes;
}

// What nvpmodel says ("NV Power Mode: 25W"), or the file in which it keeps the number.
Known<std::string> jetson_mode(const os::SystemFiles& files, const std::vector<JetsonMode>& modes) {
  const auto answer = os::program_output(files, {"nvpmodel", "-q"});
  if (answer) {
    const std::string_view name = value_at(*answer, "NV Power Mode", ':');
    if (!name.empty()) return printable(name);
  }
  const std::string status = files.read("/var/lib/nvpmodel/status").value_or("");
  const auto words = words_of(status);
  if (!words.empty() && words[0].starts_with("pmode:")) {
    const auto id = parse_unsigned(words[0].substr(6));
    for (const JetsonMode& mode : modes)
      if (id && mode.id == *id) return mode.name;
  }
  return not_available(answer ? "nvpmodel -q: no mode in its answer"
                              : "nvpmodel -q does not answer");
}

}  // namespace

PowerModes describe_power_modes(const os::SystemFiles& files, const Cpu& cpu) {
  PowerModes modes;
  const auto jetson = jetson_modes(files.read("/etc/nvpmodel.conf").value_or(""));
  if (!jetson.empty()) {
    modes.interface = "nvpmodel";
    modes.available.reserve(jetson.size());
    for (const JetsonMode& mode : jetson) modes.available.push_back(mode.name);
    modes.current = jetson_mode(files, jetson);
    return modes;
  }
  if (!cpu.governor || cpu.clusters.empty()) return modes;
  modes.interface = "cpufreq governor";
  modes.current = cpu.governor;
  const std::string folder =
      "/sys/devices/system/cpu/cpu" + std::to_string(cpu.clusters.front().cpus.front());
  const std::string names =
      files.read(folder + "/cpufreq/scaling_available_governors").value_or("");
  for (const std::string_view name : words_of(names))
    if (modes.available.size() < kMaxModes) modes.available.push_back(printable(name));
  return modes;
}

}  // namespace edgelm::device
