#pragma once
// The passport of a device: what it is and what it can do, with the reason for everything that
// cannot be told. Read from the system's files (describe.cpp), completed by measuring
// (measure/device_speed.h), shipped for boards of the literature (predict/), kept in every record
// and printed by `edgelm device`. Plain data.

#include <cstdint>
#include <string>
#include <vector>

#include "base/known.h"
#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

struct CacheLevel {
  std::uint32_t level = 0;
  std::string type;  // "Data", "Instruction", "Unified"
  std::uint64_t bytes = 0;
  std::uint32_t shared_by_cpus = 0;
};

// Processors of one kind (big, little): by maximum clock and capacity.
struct CpuCluster {
  std::vector<std::uint32_t> cpus;
  Known<std::string> part = not_available("not told");  // "Cortex-A76"
  Known<double> max_hz = not_available("no cpufreq");
  Known<std::uint32_t> capacity = not_available("not told");  // of 1024
};

struct Cpu {
  std::string model;  // "Intel(R) Core(TM) i7-1185G7", "4x Cortex-A76", "unknown"
  std::string architecture;
  std::vector<std::string> isa;  // kernels this build could use on it: "avx2", "dotprod", ...
  std::uint32_t logical_cpus = 0;
  std::uint32_t cores = 0;
  std::vector<CpuCluster> clusters;
  std::vector<CacheLevel> caches;
  Known<std::string> governor = not_available("no cpufreq");
  Known<std::string> driver = not_available("no cpufreq");
  Known<double> current_hz = not_available("no cpufreq");
  Known<double> max_hz = not_available("no cpufreq");
  // Where the system, a power mode or a user has set less: the clock is not to rise above it.
  Known<double> limit_hz = not_available("no limit below the maximum");
};

struct Memory {
  Known<std::uint64_t> total_bytes = not_available("not told");
  // Without swapping: what the system tells, or what the control group leaves if that is less.
  Known<std::uint64_t> available_bytes = not_available("not told");
  Known<std::uint64_t> limit_bytes = not_available("no control group limit");
  Known<std::uint64_t> swap_bytes = not_available("no swap");
  std::string swap_kind;  // "zram" (compressed memory: none is gained), "file", "partition"
};

enum class BoardKind : std::uint8_t { kUnknown, kRaspberryPi, kJetson, kOtherArm, kPc, kVirtual };

struct Board {
  BoardKind kind = BoardKind::kUnknown;
  std::string name;      // "Raspberry Pi 5 Model B Rev 1.0"
  std::string evidence;  // the file that says so
  std::string soc;       // "rockchip,rk3588": the device tree's most general name; "" without one
};

struct ThermalZone {
  std::string name;
  Known<double> celsius = not_available("not told");
  Known<double> trip_celsius = not_available("no passive trip point");  // throttling starts
};

// A power mode that can be chosen: of nvpmodel, or a cpufreq governor.
struct PowerModes {
  Known<std::string> current = not_available("no power modes");
  std::vector<std::string> available;
  std::string interface;  // "nvpmodel", "cpufreq governor", ""
};

// One figure for a number of threads.
struct PerThreads {
  std::uint32_t threads = 0;
  double value = 0;
};

// Speed of the engine's own kernels on one weight type, per thread count.
struct KernelSpeed {
  std::string type;   // "Q4_K"
  std::string phase;  // "decode": bytes of weights per second from memory that no cache holds;
                      // "decode_cached": the same with weights in the caches (what the arithmetic
                      // allows); "prefill": multiply-adds per second
  std::vector<PerThreads> per_threads;
};

// What was measured, or stated for a shipped passport. Each vector is empty when absent; `why`
// tells.
struct Speeds {
  Origin origin = Origin::kMeasured;
  std::string why;                           // when nothing is known
  std::vector<PerThreads> read_bytes_per_s;  // from memory
  std::vector<PerThreads> int8_ops_per_s;    // multiply and add count two
  std::vector<PerThreads> f32_ops_per_s;
  std::vector<KernelSpeed> kernels;
  Known<double> storage_bytes_per_s = not_available("not measured");
  std::string storage_path;  // where it was measured
};

struct Passport {
  std::string name;  // "this device", or of a shipped one "Raspberry Pi 5 8 GB"
  Cpu cpu;
  Memory memory;
  Board board;
  std::string kernel;   // "Linux 6.18.0"
  std::string os_name;  // PRETTY_NAME of os-release
  std::vector<SensorInfo> sensors;
  std::vector<ThermalZone> thermal;
  std::vector<std::string> throttle_flags;  // set now or since start: "under-voltage since start"
  Known<std::string> throttle = not_available("no throttle flags on this device");  // their source
  PowerModes power_modes;
  Speeds speeds;
  // Names the device for records: 16 hex digits of a hash over what does not change while it is the
  // same machine with the same system (CPU, cores, caches, total memory, board). Clocks, governor,
  // available memory and measurements do not enter.
  std::string fingerprint;
};

// Everything but the speeds. Never fails: what cannot be read is absent with its reason.
Passport describe(const os::SystemFiles& files);

}  // namespace edgelm::device
