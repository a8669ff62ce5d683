// Passport first, then speeds: of the passport, kept from an earlier measurement, or measured now.

#include "apps/edgelm/plan_device.h"

#include "apps/edgelm/output.h"
#include "apps/edgelm/progress.h"
#include "device/passport.h"
#include "measure/cache_gain.h"
#include "measure/device_speed.h"
#include "os/cpu.h"
#include "os/system_files.h"
#include "predict/passports.h"

namespace edgelm::apps {
namespace {

// All types, because a plan may ask for any; no storage, which would need a file of some size.
Result<device::Speeds> measure_now(const measure::SpeedKey& key) {
  note("edgelm: measuring what this device can do, once; edgelm device measures its storage too\n");
  Progress bar;
  EDGELM_TRY_ASSIGN(
      device::Speeds speeds,
      measure::measure_speeds(
          {.rounds = 5}, [&](std::uint64_t done, std::uint64_t total, const std::string& what) {
            bar.update(done, total, what);
          }));
  static_cast<void>(measure::save_speeds(key, speeds));  // a cache that is off is no failure
  return speeds;
}

Result<device::Passport> this_device() {
  device::Passport passport = device::describe(*os::system_files());
  const measure::SpeedKey key = measure::speed_key(passport, EDGELM_VERSION);
  auto speeds = measure::load_speeds(key);
  if (!speeds) speeds = measure_now(key);
  if (!speeds) return fail(std::move(speeds).error());
  passport.speeds = std::move(*speeds);
  return passport;
}

// Half a second: the caches of this very moment, which others may use as well.
void add_cache_gains(predict::Device& device) {
  const auto gains = measure::measure_cache_gain(static_cast<std::uint32_t>(os::usable_cores()));
  if (!gains) return;
  for (predict::Profile& profile : device.profiles) {
    if (profile.engine != "edgelm") continue;
    profile.cache_gains.reserve(gains->size());
    for (const measure::CacheGainSample& sample : *gains)
      profile.cache_gains.push_back({sample.bytes, sample.gain});
  }
}

}  // namespace

Result<predict::Device> plan_device(const std::string& name, const std::string& sysroot) {
  if (!name.empty()) {
    EDGELM_TRY_ASSIGN(const device::Passport passport, predict::load_passport(name));
    return predict::device_of(passport);
  }
  if (!sysroot.empty()) {
    device::Passport passport = device::describe(*os::system_files(sysroot));
    if (passport.name.empty()) passport.name = "the device of " + sysroot;
    passport.speeds.why = "a recorded device is described, not measured";
    return predict::device_of(passport);
  }
  EDGELM_TRY_ASSIGN(device::Passport passport, this_device());
  if (passport.name.empty()) passport.name = "this device";
  predict::Device device = predict::device_of(passport);
  add_cache_gains(device);
  return device;
}

}  // namespace edgelm::apps
