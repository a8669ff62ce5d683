// The passport put together from its parts, and the fingerprint.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "device/describe_parts.h"
#include "device/passport.h"
#include "device/passport_json.h"
#include "device/power/sources.h"
#include "device/system_text.h"

namespace edgelm::device {
namespace {

std::string kernel_of(const os::SystemFiles& files) {
  const auto release = text_line(files, "/proc/sys/kernel/osrelease");
  if (release)
    return text_line(files, "/proc/sys/kernel/ostype").value_or("Linux") + " " + *release;
  // "Linux version 6.12.47+rpt-rpi-2712 (...) ..."
  const std::string version = text_line(files, "/proc/version").value_or("");
  const auto words = words_of(version);
  if (words.size() < 3 || words[1] != "version") return "unknown";
  return fmt::format("{} {}", words[0], words[2]);
}

// Length first, so that "ab" + "c" is not "a" + "bc".
void add(Hash64& hash, std::string_view text) {
  hash.update_value(static_cast<std::uint64_t>(text.size()));
  hash.update(as_byte_span(text));
}

// Processors count as far as they are present: power modes turn cores off. Memory counts in steps
// of 256 MiB, because every update of a kernel keeps another few pages for itself.
std::string fingerprint_of(const os::SystemFiles& files, const Passport& passport) {
  constexpr std::uint64_t kStep = 256ULL << 20;
  const auto present = cpus_of_list(files.line("/sys/devices/system/cpu/present").value_or(""));
  std::set<std::string> parts;
  for (const CpuCluster& cluster : passport.cpu.clusters) parts.insert(cluster.part.value_or(""));
  const bool is_named_by_parts = parts != std::set<std::string>{""};
  std::set<std::string> caches;
  for (const CacheLevel& cache : passport.cpu.caches)
    caches.insert(fmt::format("{} {} {}", cache.level, cache.type, cache.bytes));

  Hash64 hash;
  add(hash, passport.cpu.architecture);
  add(hash, is_named_by_parts ? "" : passport.cpu.model);
  for (const std::string& part : parts) add(hash, part);
  hash.update_value(present ? static_cast<std::uint64_t>(present->size())
                            : std::uint64_t{passport.cpu.logical_cpus});
  for (const std::string& cache : caches) add(hash, cache);
  hash.update_value((passport.memory.total_bytes.value_or(0) + kStep / 2) / kStep);
  add(hash, board_kind_name(passport.board.kind));
  add(hash, passport.board.name);
  return fmt::format("{:016x}", hash.digest());
}

}  // namespace

Passport describe(const os::SystemFiles& files) {
  Passport passport;
  passport.name = files.root().empty() ? "this device" : "recorded machine";
  passport.cpu = describe_cpu(files);
  passport.memory = describe_memory(files);
  passport.board = describe_board(files);
  passport.kernel = kernel_of(files);
  passport.os_name = describe_os(files);
  passport.sensors = list_sensors(files);
  passport.thermal = describe_thermal(files, passport.board.kind);
  Throttle throttle = describe_throttle(files);
  passport.throttle_flags = std::move(throttle.flags);
  if (!throttle.sources.empty())
    passport.throttle = fmt::format("{}", fmt::join(throttle.sources, ", "));
  passport.power_modes = describe_power_modes(files, passport.cpu);
  passport.speeds.why =
      files.root().empty() ? "not measured" : "a recorded machine cannot be measured";
  passport.speeds.storage_bytes_per_s = not_available(passport.speeds.why);
  passport.fingerprint = fingerprint_of(files, passport);
  return passport;
}

}  // namespace edgelm::device
