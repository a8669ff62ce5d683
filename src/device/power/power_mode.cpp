// The three ways, and which one a name means.

#include "device/power/power_mode.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "device/power/command_source.h"
#include "os/program.h"

namespace edgelm::device {
namespace {

constexpr const char* kModelConf = "/etc/nvpmodel.conf";

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(" \t\n"), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

// Governors of all cpufreq policies.
class Governor final : public PowerModeSetter {
 public:
  explicit Governor(const os::SystemFiles& files) : files_(files) {
    const std::string cpus = "/sys/devices/system/cpu";
    for (const std::string& name : files.list(cpus + "/cpufreq"))
      if (name.starts_with("policy")) add(fmt::format("{}/cpufreq/{}", cpus, name));
    if (!folders_.empty()) return;
    for (const std::string& name : files.list(cpus))
      if (name.starts_with("cpu")) add(fmt::format("{}/{}/cpufreq", cpus, name));
  }

  [[nodiscard]] bool present() const { return !folders_.empty(); }
  [[nodiscard]] std::string interface() const override { return "governor"; }

  [[nodiscard]] std::vector<std::string> available() const override {
    const Result<std::string> text = files_.line(folders_.front() + "/scaling_available_governors");
    return text ? words_of(*text) : std::vector<std::string>{};
  }

  [[nodiscard]] Result<std::string> current() const override {
    return files_.line(folders_.front() + "/scaling_governor");
  }

  Status set(const std::string& mode) override {
    if (before_.empty()) {
      std::vector<std::string> before;
      before.reserve(folders_.size());
      for (const std::string& folder : folders_) {
        EDGELM_TRY_ASSIGN(std::string governor, files_.line(folder + "/scaling_governor"));
        before.push_back(std::move(governor));
      }
      before_ = std::move(before);
    }
    for (const std::string& folder : folders_) EDGELM_TRY(set_one(folder, mode));
    return {};
  }

  Status restore() override {
    Status first;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      Status status = set_one(folders_[i], before_[i]);
      if (!status && first) first = std::move(status);
    }
    before_.clear();
    return first;
  }

 private:
  void add(std::string folder) {
    if (files_.read(folder + "/scaling_governor")) folders_.push_back(std::move(folder));
  }

  Status set_one(const std::string& folder, const std::string& mode) {
    const std::string path = folder + "/scaling_governor";
    const Status written = files_.write(path, mode);
    if (!written && written.error().code == ErrorCode::kPermission)
      return fail(ErrorCode::kPermission,
                  "{}. Try: sudo chmod a+w /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor  "
                  "(until the next start), or run edgelm with sudo",
                  written.error().message);
    EDGELM_TRY(written);
    EDGELM_TRY_ASSIGN(const std::string now, files_.line(path));
    if (now == mode) return {};
    return fail(ErrorCode::kIo, "{}: set to '{}', but it says '{}'", path, mode, now.substr(0, 40));
  }

  const os::SystemFiles& files_;
  std::vector<std::string> folders_;
  std::vector<std::string> before_;  // of each folder
};

// Modes of /etc/nvpmodel.conf: lines "< POWER_MODEL ID=0 NAME=15W >".
class NvpModel final : public PowerModeSetter {
 public:
  NvpModel(const os::SystemFiles& files, RunProgram run) : run_(std::move(run)) {
    const Result<std::string> conf = files.read(kModelConf);
    if (!conf) return;
    std::string_view rest = *conf;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      if (line.find("POWER_MODEL") == std::string_view::npos) continue;
      Mode mode;
      for (const std::string& word : words_of(line)) {
        if (word.starts_with("ID=")) mode.id = word.substr(3);
        if (word.starts_with("NAME=")) mode.name = word.substr(5);
      }
      const bool digits =
          !mode.id.empty() &&
          std::all_of(mode.id.begin(), mode.id.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (digits && !mode.name.empty()) modes_.push_back(std::move(mode));
    }
  }

  [[nodiscard]] bool present() const { return !modes_.empty(); }
  [[nodiscard]] std::string interface() const override { return "nvpmodel"; }

  [[nodiscard]] std::vector<std::string> available() const override {
    std::vector<std::string> names;
    names.reserve(modes_.size());
    for (const Mode& mode : modes_) names.push_back(mode.name);
    return names;
  }

  [[nodiscard]] Result<std::string> current() const override {
    constexpr std::string_view kKey = "NV Power Mode:";
    EDGELM_TRY_ASSIGN(const std::string text, run_({"nvpmodel", "-q"}));
    const std::size_t key = text.find(kKey);
    if (key != std::string::npos) {
      const std::size_t begin = key + kKey.size();
      const std::vector<std::string> words =
          words_of(std::string_view(text).substr(begin, text.find('\n', begin) - begin));
      if (words.size() == 1) return words.front();
    }
    return fail(ErrorCode::kFormat, "nvpmodel -q: expected 'NV Power Mode: NAME', got '{}'",
                text.substr(0, 60));
  }

  Status set(const std::string& mode) override {
    if (!before_) {
      EDGELM_TRY_ASSIGN(before_, current());
    }
    const auto found = std::find_if(modes_.begin(), modes_.end(),
                                    [&](const Mode& known) { return known.name == mode; });
    if (found == modes_.end())
      return fail(ErrorCode::kUsage, "nvpmodel: no mode '{}' ({})", mode, joined(available()));
    const Result<std::string> said = run_({"nvpmodel", "-m", found->id});
    if (!said)
      return fail(ErrorCode::kPermission,
                  "nvpmodel -m {} failed: {}. Try: run edgelm with sudo, or --power-mode-command "
                  "'sudo nvpmodel -m {{mode}}' with the numbers of the modes",
                  found->id, said.error().message);
    EDGELM_TRY_ASSIGN(const std::string now, current());
    if (now == mode) return {};
    return fail(
        ErrorCode::kIo,
        "nvpmodel: set to '{}', but it says '{}' (some modes need a restart of the machine)", mode,
        now.substr(0, 40));
  }

  Status restore() override {
    if (!before_) return {};
    const std::string mode = *std::exchange(before_, std::nullopt);
    Status status = set(mode);
    before_.reset();
    return status;
  }

 private:
  struct Mode {
    std::string id;
    std::string name;
  };
  RunProgram run_;
  std::vector<Mode> modes_;
  std::optional<std::string> before_;
};

// A command with {mode} in it. Nothing can be read back: its exit status is all there is.
class ModeCommand final : public PowerModeSetter {
 public:
  ModeCommand(std::string command, std::string initial, RunProgram run)
      : command_(std::move(command)), initial_(std::move(initial)), run_(std::move(run)) {}

  [[nodiscard]] std::string interface() const override { return "command"; }
  [[nodiscard]] std::vector<std::string> available() const override { return {}; }
  [[nodiscard]] Result<std::string> current() const override {
    if (!last_.empty()) return last_;
    return fail(ErrorCode::kUnsupported, "a command does not tell the mode that it was in");
  }

  Status set(const std::string& mode) override {
    constexpr std::string_view kMark = "{mode}";
    EDGELM_TRY_ASSIGN(std::vector<std::string> words, split_command(command_));
    bool marked = false;
    for (std::string& word : words) {
      for (std::size_t at = word.find(kMark); at != std::string::npos;
           at = word.find(kMark, at + mode.size())) {
        word.replace(at, kMark.size(), mode);
        marked = true;
      }
    }
    if (!marked)
      return fail(ErrorCode::kUsage, "the power mode command '{}' has no {{mode}} in it", command_);
    const Result<std::string> said = run_(words);
    if (!said) return fail(said.error().code, "power mode '{}': {}", mode, said.error().message);
    last_ = mode;
    return {};
  }

  Status restore() override {
    if (last_.empty() || last_ == initial_) return {};
    if (!initial_.empty()) return set(initial_);
    return fail(ErrorCode::kUnsupported,
                "power mode '{}' was left set: nothing tells what the mode was before", last_);
  }

 private:
  std::string command_;
  std::string initial_;
  RunProgram run_;
  std::string last_;
};

}  // namespace

PowerModeControl::PowerModeControl(const os::SystemFiles& files, PowerModeOptions options) {
  if (!options.run)
    options.run = [&files](const std::vector<std::string>& arguments) {
      return os::program_output(files, arguments, {.seconds = 60, .output_bytes = 65536});
    };
  auto model = std::make_unique<NvpModel>(files, options.run);
  if (model->present()) ways_.push_back(std::move(model));
  auto governor = std::make_unique<Governor>(files);
  if (governor->present()) ways_.push_back(std::move(governor));
  if (!options.command.empty())
    ways_.push_back(std::make_unique<ModeCommand>(
        std::move(options.command), std::move(options.command_initial), std::move(options.run)));
}

PowerModeControl::~PowerModeControl() { static_cast<void>(restore()); }

Result<std::size_t> PowerModeControl::way_of(std::string_view mode) const {
  const std::size_t colon = mode.find(':');
  const std::string_view before = mode.substr(0, colon);
  const std::string_view name = colon == std::string_view::npos ? mode : mode.substr(colon + 1);
  std::string known;
  for (std::size_t i = 0; i < ways_.size(); ++i) {
    const std::vector<std::string> names = ways_[i]->available();
    const std::string interface = ways_[i]->interface();
    const bool meant = colon == std::string_view::npos || before == interface;
    // Without a list (a command, a driver that gives none) any name may be right.
    if (meant && !name.empty() && (names.empty() || contains(names, name))) return i;
    known.append(known.empty() ? "" : "; ")
        .append(interface)
        .append(": ")
        .append(names.empty() ? "any" : joined(names));
  }
  return fail(ErrorCode::kUsage, "no power mode '{}' on this device ({})", mode,
              known.empty() ? "neither nvpmodel nor cpufreq; see --power-mode-command" : known);
}

Status PowerModeControl::check(std::string_view mode) const {
  EDGELM_TRY(way_of(mode));
  return {};
}

Status PowerModeControl::set(std::string_view mode) {
  EDGELM_TRY_ASSIGN(const std::size_t way, way_of(mode));
  const std::size_t colon = mode.find(':');
  // Before it is tried: what fails half way (one policy of two) must be put right too.
  if (std::find(changed_.begin(), changed_.end(), way) == changed_.end()) changed_.push_back(way);
  return ways_[way]->set(
      std::string(colon == std::string_view::npos ? mode : mode.substr(colon + 1)));
}

Status PowerModeControl::restore() {
  Status first;
  while (!changed_.empty()) {
    Status status = ways_[changed_.back()]->restore();
    changed_.pop_back();
    if (!status && first) first = std::move(status);
  }
  return first;
}

}  // namespace edgelm::device
