#pragma once
// Power modes as a sweep sets them: nvpmodel of Jetsons, cpufreq governors, or a command of the
// user's. What is set is read back; what it was before comes back at the end. Called by measure/.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "device/power/state_sampler.h"
#include "os/system_files.h"

namespace edgelm::device {

// One way of setting modes.
class PowerModeSetter {
 public:
  virtual ~PowerModeSetter() = default;
  [[nodiscard]] virtual std::string interface() const = 0;  // "nvpmodel", "governor", "command"
  [[nodiscard]] virtual std::vector<std::string> available() const = 0;  // empty: not known
  [[nodiscard]] virtual Result<std::string> current() const = 0;
  // Sets and reads back. kPermission says what to type; kUsage lists the modes there are.
  virtual Status set(const std::string& mode) = 0;
  // As it was before the first set().
  virtual Status restore() = 0;
};

struct PowerModeOptions {
  std::string command;          // "sudo my-mode {mode}"; "": none
  std::string command_initial;  // what restores it; "": the command's mode is left as it is
  RunProgram run;               // null: os::program_output
};

// All ways of this machine; restores them when it goes (or earlier, so that errors can be shown).
// After Ctrl-C the caller lets it go like any other object.
class PowerModeControl {
 public:
  // `files` must outlive it.
  explicit PowerModeControl(const os::SystemFiles& files, PowerModeOptions options = {});
  ~PowerModeControl();
  PowerModeControl(const PowerModeControl&) = delete;
  PowerModeControl& operator=(const PowerModeControl&) = delete;

  // "15W", "performance", or with the way before it: "governor:performance". With a command, names
  // that no other way knows go to it.
  Status set(std::string_view mode);
  // Everything that was changed, back; the first failure, after all were tried.
  Status restore();
  // Whether `mode` could be meant by somebody here; so that a sweep fails before it begins.
  [[nodiscard]] Status check(std::string_view mode) const;
  [[nodiscard]] const std::vector<std::unique_ptr<PowerModeSetter>>& ways() const { return ways_; }

 private:
  [[nodiscard]] Result<std::size_t> way_of(std::string_view mode) const;  // index in ways_

  std::vector<std::unique_ptr<PowerModeSetter>> ways_;
  std::vector<std::size_t> changed_;  // in order
};

}  // namespace edgelm::device
