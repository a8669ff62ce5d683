#pragma once
// How one engine runs on one device in one power mode: the constants of the speed model
// (docs/predict.md). Either from what was measured on the device with this engine's own kernels, or
// fitted to the reference data (data/reference). Plain data; used by predict.cpp.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "base/result.h"
#include "device/passport.h"

namespace edgelm::predict {

// Of one weight type. Rates count weights (elements), so that they hold for every model.
struct TypeRate {
  std::string type;
  // What the arithmetic of decode allows, all threads together.
  std::vector<device::PerThreads> decode_weights_per_s;
  // Bytes per second that the decode kernel was measured to reach from memory; empty when fitted:
  // then bandwidth and arithmetic are combined (Profile::norm).
  std::vector<device::PerThreads> memory_bytes_per_s;
  std::vector<device::PerThreads> prefill_macs_per_s;
};

struct Profile {
  std::string device;                  // "Raspberry Pi 5"
  std::string engine;                  // "edgelm", "llama.cpp", "Ollama"
  std::string version;                 // of the engine where stated
  std::string power_mode;              // "" where there is one
  Origin origin = Origin::kPredicted;  // of the constants: measured here, or stated by others
  std::string basis;                   // "fitted to 64 rows of ..., held-out error 4 %"

  std::vector<device::PerThreads> bandwidth;  // bytes of weights per second, any type
  std::vector<TypeRate> types;
  double norm = 1;  // (memory^norm + arithmetic^norm)^(1/norm): 1 adds them, large takes the longer
  double token_overhead_s = 0;
  double layer_overhead_s = 0;
  double attention_macs_per_s = 0;   // one thread; 0: counted as the bytes of keys and values alone
  double cache_bytes = 0;            // last level; 0: weights always come from memory
  double repack_bytes_per_s = 0;     // when loading; 0: nothing is repacked
  std::uint64_t runtime_bytes = 0;   // the program without a model
  std::uint32_t batch_tokens = 512;  // of a prefill step
  bool gpu = false;                  // threads do not matter

  // Watts while decoding and in prefill: per thread count ({0, w} for a GPU), and their scope.
  std::vector<device::PerThreads> decode_watts;
  std::vector<device::PerThreads> prefill_watts;
  device::Scope watts_scope = device::Scope::kUnknown;

  // Half-widths of the intervals, relative: from held-out errors of the fit.
  double decode_error = 0.15;
  double prefill_error = 0.25;
  double watts_error = 0.15;
};

// A passport and every profile that is known for it, this engine's own first.
struct Device {
  device::Passport passport;
  std::vector<Profile> profiles;
  std::string why_not_here;  // why this engine has no profile for it; "" when it has

  // nullptr when there is none. "" for engine or power mode takes the first.
  [[nodiscard]] const Profile* find(std::string_view engine, std::string_view power_mode) const;
};

// This engine's profile from the passport's measured kernels, and the reference profiles whose
// device is the passport's (by its name or its board's).
Device device_of(const device::Passport& passport);

// The value for `threads`, interpolated between neighbours, the nearest outside them; 0 when empty.
double at_threads(const std::vector<device::PerThreads>& values, std::uint32_t threads);

}  // namespace edgelm::predict
