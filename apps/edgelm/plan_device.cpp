// Passport first, then speeds: of the passport, or measured here.

#include "apps/edgelm/plan_device.h"

#include "os/system_files.h"
#include "predict/passports.h"

namespace edgelm::apps {

Result<predict::Device> plan_device(const std::string& name, const std::string& sysroot) {
  device::Passport passport;
  if (!name.empty()) {
    EDGELM_TRY_ASSIGN(passport, predict::load_passport(name));
  } else {
    passport = device::describe(*os::system_files(sysroot));
    if (passport.name.empty()) passport.name = "this device";
  }
  return predict::device_of(passport);
}

}  // namespace edgelm::apps
