#pragma once
// How one engine runs on one device in one power mode: the constants of the speed model
// (docs/predict.md). Either from what was measured on the device with this engine's own kernels, or
// fitted to the reference data (data/reference). Plain data; used by predict.cpp.

#include <cstdint>
#include <optional>
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
  std::vector<device::PerThreads> decode_weights_per_s = {};
  // Bytes per second that the decode kernel was measured to reach from memory; empty when fitted:
  // then bandwidth and arithmetic are combined (Profile::norm).
  std::vector<device::PerThreads> memory_bytes_per_s = {};
  std::vector<device::PerThreads> prefill_macs_per_s = {};
};

// Watts = base + threads x (per_thread + per_busy_thread x busy) + per_gigabyte x GB/s
//         + per_gigaweight x 1e9 weights/s; busy: the share of time that arithmetic needs.
struct PowerModel {
  double base = 0;
  double per_thread = 0;
  double per_busy_thread = 0;
  double per_gigabyte = 0;
  double per_gigaweight = 0;
};

// How much faster weights are read when all that a token reads is `bytes` large, because caches
// hold it from the token before: measured (measure/cache_gain.h). 1 from memory.
struct CacheGain {
  double bytes = 0;
  double gain = 1;
};

struct Profile {
  std::string device;                  // "Raspberry Pi 5"
  std::string engine;                  // "edgelm", "llama.cpp", "Ollama"
  std::string version;                 // of the engine where stated
  std::string power_mode;              // "" where there is one
  Origin origin = Origin::kPredicted;  // of the constants: measured here, or stated by others
  std::string basis;                   // what the constants come from, in words
  std::uint32_t basis_rows = 0;        // of the reference data, when fitted

  std::vector<device::PerThreads> bandwidth;  // bytes of weights per second, any type
  std::vector<TypeRate> types;                // "*" stands for types that are not listed
  double norm = 1;  // (memory^norm + arithmetic^norm)^(1/norm): 1 adds them, large takes the longer
  double token_overhead_s = 0;
  double layer_overhead_s = 0;
  double prefill_overhead_s = 0;           // of a prompt
  double decode_attention_macs_per_s = 0;  // one thread; 0: counted as bytes of the cache alone
  double prefill_attention_macs_per_s = 0;
  // Ascending by bytes; takes precedence over `cache_bytes`.
  std::vector<CacheGain> cache_gains;
  double cache_bytes = 0;  // that weights can stay in; 0: they always come from memory
  // Rows of a matrix that threads take at a time in prefill; some wait for the last one.
  std::uint32_t row_grain = 0;
  double activation_s = 0;  // per float of Model::activation_floats, layer and token; one thread
  double transfer_s = 0;    // the same, of a float that another thread wrote
  double repack_bytes_per_s = 0;     // when loading; 0: nothing is repacked
  std::uint64_t runtime_bytes = 0;   // the program without a model
  std::uint32_t batch_tokens = 512;  // of a prefill step
  bool gpu = false;                  // threads do not matter

  std::optional<PowerModel> decode_power;
  device::Scope watts_scope = device::Scope::kUnknown;

  // Half-widths of the intervals, relative: from held-out errors of the fit.
  double decode_error = 0.15;
  double prefill_error = 0.25;
  double watts_error = 0.15;

  [[nodiscard]] const TypeRate* find_type(std::string_view type) const;  // or "*", or nullptr
  // Thread counts that the constants speak of, ascending; {0} for a GPU.
  [[nodiscard]] std::vector<std::uint32_t> thread_counts() const;
};

// A passport and every profile that is known for it, this engine's own first.
struct Device {
  device::Passport passport;
  std::vector<Profile> profiles;
  std::string why_not_here;  // why this engine has no profile for it; "" when it has
  // The shipped passport of the same board with the same memory, whose name price lists know; "".
  std::string shipped;

  // nullptr when there is none. "" for engine or power mode takes the first.
  [[nodiscard]] const Profile* find(std::string_view engine, std::string_view power_mode) const;
};

// This engine's profile from the passport's measured kernels, and the reference profiles whose
// device is the passport's: its name begins with it, or its board's contains it ("NVIDIA Jetson
// Orin Nano Developer Kit").
Device device_of(const device::Passport& passport);

// The value for `threads`, interpolated between neighbours, the nearest outside them; 0 when empty.
double at_threads(const std::vector<device::PerThreads>& values, std::uint32_t threads);

}  // namespace edgelm::predict
