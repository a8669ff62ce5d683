#pragma once
// The predictor: will a model fit on a device, how fast will it be, what will it draw - before it
// is downloaded. Pure functions of a model's description and a device's profile; the formulas are
// in docs/predict.md, the constants in data/reference. Used by `edgelm plan`, by reports that show
// prediction beside measurement, and by the validation (validate.h).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "base/result.h"
#include "predict/model.h"
#include "predict/profile.h"

namespace edgelm::predict {

struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;
};

// What limits a speed.
enum class Term : std::uint8_t {
  kMemory,          // it does not fit
  kBandwidth,       // reading weights and cache from memory
  kArithmetic,      // multiply-adds
  kDequantization,  // unpacking weights while decoding
  kStorage,         // weights are read from storage again and again
  kOverhead,        // what every token costs whatever the model: launches, barriers
};
std::string_view term_name(Term term);

enum class Fit : std::uint8_t {
  kFits,
  kPaging,  // runs, but weights are read from storage again and again
  kNo,      // the cache and what cannot be read again do not fit
};
std::string_view fit_name(Fit fit);

struct MemoryPrediction {
  std::uint64_t weights_bytes = 0;
  std::uint64_t kv_bytes = 0;
  std::uint64_t compute_bytes = 0;
  std::uint64_t runtime_bytes = 0;
  // What generation touches again and again: all of it but an untied embedding table.
  std::uint64_t touched_bytes = 0;
  Known<std::uint64_t> usable_bytes = not_available("the device's memory is not known");
  Fit fit = Fit::kFits;
  Known<double> margin = not_available("the device's memory is not known");  // of usable, free
  // Largest context that fits, at most what the model was made for.
  Known<std::uint64_t> largest_context = not_available("the device's memory is not known");

  [[nodiscard]] std::uint64_t total_bytes() const {
    return weights_bytes + kv_bytes + compute_bytes + runtime_bytes;
  }
};

struct Speed {
  std::uint32_t threads = 0;  // 0: on a GPU
  Interval tokens_per_s;
  Term term = Term::kBandwidth;
  Known<Interval> watts = not_available("no power figures for this engine on this device");
  Known<Interval> joules_per_token =
      not_available("no power figures for this engine on this device");
};

// Of each count of a request.
inline constexpr std::uint32_t kMostTokens = 1U << 24U;

struct Request {
  std::vector<std::uint32_t> threads = {};  // empty: every count that the profile knows
  std::uint32_t prompt_tokens = 128;
  std::uint32_t decode_tokens = 128;
  // Planned for. 0: the model's, at most 4096, or all of the request's tokens when they are more.
  std::uint32_t context_tokens = 0;
  std::uint32_t depth_tokens = 0;  // in the cache before the prompt
  std::string kv_type = "f16";
};

struct Prediction {
  std::string model, type, device, engine, version, power_mode, basis;
  std::uint32_t context_tokens = 0;  // of the plan
  std::string kv_type;
  double bytes_per_token = 0;
  MemoryPrediction memory;
  std::vector<Speed> prefill;                     // by thread count, or empty: ttft_s tells why
  std::vector<Speed> decode;                      // mean over the generated tokens
  std::vector<Known<Interval>> ttft_by_threads;   // of each decode's thread count
  std::size_t best_prefill = 0, best_decode = 0;  // indices of the fastest
  Known<Interval> ttft_s = not_available("not predicted");  // prompt on the best count
  Known<Interval> load_cold_s = not_available("storage speed is not known");
  Known<Interval> load_warm_s = not_available("not predicted");  // repacking alone
  device::Scope watts_scope = device::Scope::kUnknown;
  std::vector<std::string> notes;

  [[nodiscard]] const Speed& decode_best() const { return decode[best_decode]; }
  [[nodiscard]] const Speed& prefill_best() const { return prefill[best_prefill]; }
};

// What can be said against a request before a model or a speed is known. kUsage: tokens beyond all
// bounds, a context that does not hold the request's tokens, a KV type that `engine` does not have,
// more threads than the device.
Status check_request(const Request& request, const device::Passport& passport,
                     std::string_view engine);

// kUsage as check_request(), kUnsupported when the profile has no constants for the model's types.
Result<Prediction> predict(const Model& model, const Device& device, const Profile& profile,
                           const Request& request);

}  // namespace edgelm::predict
