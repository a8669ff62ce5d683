#pragma once
// Records power and state while something is measured: one thread that reads the source and the
// state of the device at their periods, and at every mark. Windows between marks are integrated
// afterwards (integrate.h): difference of a counter, trapezoid of a gauge, both interpolated at the
// boundaries. Thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/known.h"
#include "device/power/source.h"
#include "os/system_files.h"

namespace edgelm::device {

// Asked along with the state: what slows something down just now ("GPU power cap"), "" for nothing.
// Called from the recorder's thread alone; nvml.h has one.
using ThrottleWatch = std::function<std::string()>;

// State sampled along: temperature, clock, throttling. Absent parts are NaN / empty.
struct StateSample {
  std::int64_t t_ns = 0;
  double celsius = 0;                 // hottest zone
  double cpu_hz = 0;                  // median over the processors in use
  std::uint64_t throttle_events = 0;  // counters and live bits: grows when something throttled
  std::string throttle;               // "under-voltage", "thermal", "" for none
};

struct Energy {
  double joules = 0;       // gross, over the window
  double uncertainty = 0;  // joules, 1 sigma
  double mean_watts = 0;
  double peak_watts = 0;  // largest sample; for counters largest slope
  double seconds = 0;
  std::uint32_t n_samples = 0;
  double coverage = 1;  // share of the window without gaps of more than three periods
  bool low_confidence = false;
};

struct StateSummary {
  Known<double> max_celsius = not_available("no thermal zone");
  Known<double> median_hz = not_available("no clock");
  Known<double> min_hz = not_available("no clock");
  bool throttled = false;  // confirmed by a counter or a flag of the system
  std::string cause;       // of the throttling
  // The median clock of the last third was more than 5 % below the first third's, and nothing says
  // why. To be believed together with a falling rate only.
  bool possibly_throttled = false;
};

class Recorder {
 public:
  virtual ~Recorder() = default;
  // The moment now, with a forced reading; of a source that takes longer than 20 ms to read, the
  // reading is asked for and not waited for. Cheap enough for phase boundaries, not for tokens.
  virtual std::int64_t mark() = 0;
  // Over [begin, end] of two marks; n/a with the reason when the source cannot resolve it.
  [[nodiscard]] virtual Known<Energy> energy(std::int64_t begin, std::int64_t end) const = 0;
  [[nodiscard]] virtual StateSummary state(std::int64_t begin, std::int64_t end) const = 0;
  // Why the sensor counts as dead just now: it has said nothing new for several of its periods, so
  // that a window need not be waited out. "" while it answers, and without a source.
  [[nodiscard]] virtual std::string failure() const { return {}; }
  // nullptr without a source.
  [[nodiscard]] virtual const SensorInfo* sensor() const = 0;
  // What was read, for the time line of the report. Of a counter: watts between neighbours.
  [[nodiscard]] virtual std::vector<Reading> watts() const = 0;
  [[nodiscard]] virtual std::vector<StateSample> states() const = 0;
  // What made the source's figures doubtful so far.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
  // Processor time that recording itself took.
  [[nodiscard]] virtual double own_cpu_seconds() const { return 0; }
};

// Starts the thread. `source` may be null (then every energy is n/a with `why_no_source`).
// `files` must outlive the recorder. `watch` may be null.
Result<std::unique_ptr<Recorder>> record(std::unique_ptr<EnergySource> source,
                                         std::string why_no_source, const os::SystemFiles& files,
                                         ThrottleWatch watch = nullptr);

}  // namespace edgelm::device
