#pragma once
// The idle baseline: what the device takes while it does nothing, measured before and after with
// the model loaded, and what is left of a phase when that is subtracted. Called by measure/. Pure
// but for measure_idle.

#include <cstdint>
#include <functional>
#include <span>

#include "base/known.h"
#include "device/power/recorder.h"

namespace edgelm::device {

struct Idle {
  double watts = 0;  // median
  double mad = 0;    // median absolute deviation of the samples
  double seconds = 0;
  std::uint32_t n_samples = 0;
};

// Of the power over time (Recorder::watts) within [begin, end]; n/a below three samples.
Known<Idle> idle_of(std::span<const Reading> watts, std::int64_t begin, std::int64_t end);

// Waits until things have settled, then watches. The window is at least that of the sensor, 60 s
// for plugs. `sleep` waits, and returns false when the user has had enough.
constexpr double kSettleSeconds = 10;
constexpr double kIdleSeconds = 30;
Known<Idle> measure_idle(Recorder& recorder, const std::function<bool(double seconds)>& sleep,
                         double settle_s = kSettleSeconds, double window_s = kIdleSeconds);

struct Net {
  double joules = 0;       // gross - idle watts x seconds; may be below 0 within its uncertainty
  double uncertainty = 0;  // 1 sigma: of the gross, and of the baseline (MAD, drift)
  double idle_watts = 0;   // mean of before and after
  double drift = 0;        // |after - before| / mean; 0 when only one was measured
  bool low_confidence = false;  // drift above 10 %, one baseline only, or a doubtful gross
};

// n/a with the reason of what is missing: the gross figure, or both baselines.
Known<Net> net_energy(const Known<Energy>& gross, const Known<Idle>& before,
                      const Known<Idle>& after);

}  // namespace edgelm::device
