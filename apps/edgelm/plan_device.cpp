// Passport first, then speeds: of the passport, of its board by others, kept from an earlier
// measurement, or measured now.

#include "apps/edgelm/plan_device.h"

#include "apps/edgelm/machine.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/progress.h"
#include "measure/cache_gain.h"
#include "measure/device_speed.h"
#include "os/cpu.h"
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
  EDGELM_TRY_ASSIGN(device::Passport passport, describe_machine(sysroot));
  predict::Device device = predict::device_of(passport);
  if (!sysroot.empty() && !device.shipped.empty()) device.passport.name = device.shipped;
  return device;
}

Result<predict::Device> with_speeds(device::Passport passport) {
  const measure::SpeedKey key = measure::speed_key(passport, EDGELM_VERSION);
  auto speeds = measure::load_speeds(key);
  if (!speeds) speeds = measure_now(key);
  if (!speeds) return fail(std::move(speeds).error());
  passport.speeds = std::move(*speeds);
  predict::Device device = predict::device_of(passport);
  add_cache_gains(device);
  return device;
}

}  // namespace edgelm::apps
