// Speeds kept between runs of the program: one small JSON file per device. Whatever is wrong with
// it counts as absent.

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

#include "api/fields.h"
#include "cache/user_folder.h"
#include "cache/weight_cache.h"
#include "device/passport_json.h"
#include "measure/device_speed.h"
#include "os/file.h"

namespace edgelm::measure {
namespace {

constexpr std::uint64_t kMostBytes = 1U << 20;

Result<std::string> path_of(const SpeedKey& key) {
  EDGELM_TRY_ASSIGN(const cache::Options options, cache::Options::from_environment());
  const std::string folder = cache::user_folder();
  if (folder.empty() || options.limit_bytes == std::uint64_t{0})
    return fail(ErrorCode::kNotFound, "no cache folder, or it is turned off");
  const bool is_hex = !key.fingerprint.empty() &&
                      key.fingerprint.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_hex) return fail(ErrorCode::kUsage, "'{}' is no fingerprint", key.fingerprint);
  return fmt::format("{}/speeds-{}.json", folder, key.fingerprint);
}

}  // namespace

SpeedKey speed_key(const device::Passport& passport, std::string_view version) {
  // Another build of the same version may have other kernels.
  struct stat status {};
  const std::string program = os::executable_path();
  if (!program.empty() && ::stat(program.c_str(), &status) != 0) status = {};
  return {
      passport.fingerprint,
      fmt::format("{} {} {}.{:09}", version, static_cast<long long>(status.st_size),
                  static_cast<long long>(status.st_mtim.tv_sec), status.st_mtim.tv_nsec),
      fmt::format("{} {} {:.0f}", passport.power_modes.interface,
                  passport.power_modes.current.value_or(""), passport.cpu.limit_hz.value_or(0))};
}

Result<device::Speeds> load_speeds(const SpeedKey& key) {
  EDGELM_TRY_ASSIGN(const std::string path, path_of(key));
  EDGELM_TRY_ASSIGN(const std::string text, os::read_file(path, kMostBytes));
  EDGELM_TRY_ASSIGN(const api::Json json, api::parse(text, path));
  EDGELM_TRY_ASSIGN(const std::string build, api::string_at(json, "build", path));
  EDGELM_TRY_ASSIGN(const std::string mode, api::string_at(json, "power_mode", path));
  if (build != key.build)
    return fail(ErrorCode::kNotFound, "{}: measured with another build of edgelm", path);
  if (mode != key.power_mode)
    return fail(ErrorCode::kNotFound, "{}: measured in another power mode", path);
  const api::Json* speeds = api::find(json, "speeds");
  if (speeds == nullptr) return fail(ErrorCode::kFormat, "{}: speeds: is missing", path);
  return device::speeds_from_json(*speeds, path);
}

Status save_speeds(const SpeedKey& key, const device::Speeds& speeds) {
  EDGELM_TRY_ASSIGN(const std::string path, path_of(key));
  std::error_code error;
  std::filesystem::create_directories(cache::user_folder(), error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", cache::user_folder(), error.message());
  const api::Json json = {
      {"build", key.build}, {"power_mode", key.power_mode}, {"speeds", device::to_json(speeds)}};
  return os::write_file_atomic(path, api::dump(json) + "\n");
}

}  // namespace edgelm::measure
