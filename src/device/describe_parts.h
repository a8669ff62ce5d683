#pragma once
// The parts of which describe() is made, one file each. Each reads only `files` and never fails:
// what cannot be told is absent with its reason.

#include <string>
#include <string_view>
#include <vector>

#include "device/passport.h"
#include "os/system_files.h"

namespace edgelm::device {

// /proc/cpuinfo, or nothing.
std::string read_cpuinfo(const os::SystemFiles& files);
// "aarch64", "x86_64", ...; of the processor that wrote this cpuinfo, not of this program.
std::string architecture_of(std::string_view cpuinfo);
// Kernels that a build for that processor could use on it, best first, "scalar" last; as
// kernels::all_kernels names them.
std::vector<std::string> isa_of(std::string_view cpuinfo);
// "Cortex-A76" of implementer 0x41 and part 0xd0b; "" for those that are not in the table.
std::string_view arm_part_name(std::uint32_t implementer, std::uint32_t part);

// Processors that are on, from the system or counted in cpuinfo.
std::vector<std::uint32_t> online_cpus(const os::SystemFiles& files, std::string_view cpuinfo);

Cpu describe_cpu(const os::SystemFiles& files);
std::vector<CacheLevel> describe_caches(const os::SystemFiles& files,
                                        const std::vector<std::uint32_t>& cpus);
Memory describe_memory(const os::SystemFiles& files);
Board describe_board(const os::SystemFiles& files);
std::vector<ThermalZone> describe_thermal(const os::SystemFiles& files, BoardKind board);
PowerModes describe_power_modes(const os::SystemFiles& files, const Cpu& cpu);
// "Debian GNU/Linux 12 (bookworm)", on a Jetson with the release of its board support.
std::string describe_os(const os::SystemFiles& files);

// What throttles now, and what counters say since the start.
struct Throttle {
  std::vector<std::string> flags;    // "under-voltage since start"
  std::vector<std::string> sources;  // that could be read: "vcgencmd get_throttled"
};
Throttle describe_throttle(const os::SystemFiles& files);

}  // namespace edgelm::device
