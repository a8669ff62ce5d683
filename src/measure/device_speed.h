#pragma once
// Measures what a device can do, in a few seconds: bandwidth, arithmetic peaks, the engine's own
// kernels, storage. Repetitions of all figures are interleaved and their upper quartile kept, so
// that a disturbance of a second does not fall on one figure alone. Called by `edgelm device`,
// `plan` and `bench`; kept between calls in the user's cache folder, because it takes longer than
// planning.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/passport.h"

namespace edgelm::measure {

struct SpeedOptions {
  std::string isa = {};                 // "": the best this processor runs
  std::uint32_t threads = 0;            // most; 0: as many as there are cores
  std::uint32_t rounds = 7;             // samples per figure
  std::vector<std::string> types = {};  // weight types; empty: all that the kernels know
  // A file to read or a folder to write a temporary file in; "": storage is not measured.
  std::string storage_path = {};
  bool quick = false;  // 3 rounds, the usual types, one and all threads, no storage
};

// `done` of `total` steps; what is measured now.
using SpeedProgress =
    std::function<void(std::uint64_t done, std::uint64_t total, const std::string& what)>;

// kUsage for an unknown type or instruction set, kMemory when the buffer does not fit.
Result<device::Speeds> measure_speeds(const SpeedOptions& options,
                                      const SpeedProgress& progress = {});

// Thread counts that are measured: 1, 2, 3, 4, 6, 8, 12, ... and `most`.
std::vector<std::uint32_t> thread_counts(std::uint32_t most);

// Under which conditions speeds were measured; kept speeds of others are not used.
struct SpeedKey {
  std::string fingerprint;
  std::string build;       // version, and the program's file
  std::string power_mode;  // of the passport: its modes change clocks
};
SpeedKey speed_key(const device::Passport& passport, std::string_view version);

// In the user's cache folder (cache/user_folder.h) as speeds-FINGERPRINT.json. kNotFound when there
// are none of these conditions (the message says which differ), or no cache.
Result<device::Speeds> load_speeds(const SpeedKey& key);
Status save_speeds(const SpeedKey& key, const device::Speeds& speeds);

}  // namespace edgelm::measure
