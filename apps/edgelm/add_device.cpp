// edgelm device: the passport of this device, or of a recorded one.

#include <cstdlib>
#include <memory>
#include <string>

#include "api/json.h"
#include "apps/edgelm/commands.h"
#include "apps/edgelm/device_text.h"
#include "apps/edgelm/machine.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/progress.h"
#include "cache/user_folder.h"
#include "device/passport_json.h"
#include "measure/device_speed.h"

namespace edgelm::apps {
namespace {

constexpr const char* kFooter =
    "Measuring takes some seconds; the machine should be idle. What was measured is kept in the\n"
    "user's cache folder, and plan uses it. Figures that cannot be had are n/a with the reason.\n"
    "With --sysroot the files (and the programs in usr/bin) of a recorded machine are read in\n"
    "place of this one's; how to record one: docs/device.md.\n"
    "Examples:\n"
    "  edgelm device\n"
    "  edgelm device --no-measure\n"
    "  edgelm device -o json > passport.json\n"
    "  edgelm device --storage /mnt/models/model.gguf\n"
    "  edgelm device --sysroot recorded-pi5\n";

struct DeviceFlags {
  std::string output = "text";
  std::string sysroot;
  std::string storage;
  bool quick = false;
  bool no_measure = false;
};

// Where the temporary file of the storage measurement goes: beside what the cache keeps, so onto
// the disk from which models are loaded.
std::string storage_path(const DeviceFlags& flags) {
  if (!flags.storage.empty()) return flags.storage;
  if (std::string folder = cache::user_folder(); is_folder(folder)) return folder;
  const char* home = std::getenv("HOME");
  return home != nullptr && is_folder(home) ? home : "/var/tmp";
}

Status measure(const DeviceFlags& flags, device::Passport& passport) {
  const measure::SpeedKey key = measure::speed_key(passport, EDGELM_VERSION);
  if (flags.no_measure) {
    auto kept = measure::load_speeds(key);
    if (kept) {
      passport.speeds = *std::move(kept);
      std::string& why = passport.speeds.why;
      why = why.empty() ? "kept from an earlier run" : "kept from an earlier run; " + why;
    }
    return {};
  }
  Progress bar;
  EDGELM_TRY_ASSIGN(
      passport.speeds,
      measure::measure_speeds({.storage_path = storage_path(flags), .quick = flags.quick},
                              [&](std::uint64_t done, std::uint64_t total,
                                  const std::string& what) { bar.update(done, total, what); }));
  // A cache that is off or full is no reason to fail; a quick measurement replaces no thorough one.
  if (!flags.quick) static_cast<void>(measure::save_speeds(key, passport.speeds));
  return {};
}

Status run_device(const DeviceFlags& flags) {
  EDGELM_TRY_ASSIGN(device::Passport passport, describe_machine(flags.sysroot));
  if (flags.sysroot.empty()) EDGELM_TRY(measure(flags, passport));
  if (flags.output == "json") return write_result(api::dump(device::to_json(passport)) + "\n");
  return write_result(passport_text(passport));
}

}  // namespace

void add_device(CLI::App& app, Outcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "device", "Show what this device is and can do: processor, memory, sensors, speeds");
  command->footer(kFooter);
  auto flags = std::make_shared<DeviceFlags>();
  command->add_option("-o,--output", flags->output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_option("--sysroot", flags->sysroot,
                      "Describe the machine whose files lie in this folder; measures nothing");
  command->add_option("--storage", flags->storage,
                      "File to read, or folder to write a temporary file in, for the speed of the "
                      "storage (default: the cache folder)");
  auto* quick = command->add_flag("--quick", flags->quick,
                                  "Measure for about a second: the usual weight types, one and all "
                                  "threads, no storage");
  command
      ->add_flag("--no-measure", flags->no_measure,
                 "Measure nothing; show the speeds of an earlier run if there are any")
      ->excludes(quick);
  command->callback([flags, &outcome] { outcome.status = run_device(*flags); });
}

}  // namespace edgelm::apps
