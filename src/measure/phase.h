#pragma once
// One phase of the protocol (prefill, decode, requests to a server), whatever it runs: warm-up
// until the rates settle, repetitions until the median is known well enough, and a window of
// back-to-back runs for the energy. Knows no model and no sensor, so that the whole protocol is
// tested on scripted ones (phase_test.cpp).

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/power/idle.h"
#include "device/power/recorder.h"
#include "measure/record.h"

namespace edgelm::measure {

// Time, so that tests need none.
struct Clock {
  std::function<std::int64_t()> now_ns;
  std::function<void(double seconds)> sleep;
};
Clock system_clock();

// When to stop.
struct Pace {
  std::uint32_t min_repetitions = 5;
  std::uint32_t max_repetitions = 40;
  double precision = 0.02;  // of the median: half of its interval
  // For the repetitions of one phase: when it is used up, no further one starts, once there are
  // three (or max_repetitions). Warm-up takes a third of it at most, beyond its first run.
  double budget_s = 10;
  std::uint32_t max_warmups = 10;
  double idle_s = 5;          // each of the two idle windows, or more where the sensor needs it
  double idle_settle_s = 2;   // before an idle window
  double max_window_s = 120;  // a sensor that needs a longer window gets none
};

// One run of a phase.
struct TimedRun {
  double tokens = 0;
  double seconds = 0;
  std::vector<double> latencies_ms = {};  // between tokens (decode)
  double ttft_ms = 0;                     // prefill: from the text to the first token's text
  double tokenize_ms = 0;                 // of it
  double sample_ms = 0;                   // of it
};

struct PhaseTask {
  std::string name;                              // for progress: "prefill"
  std::function<Result<TimedRun>()> run;         // whole, from the same state every time
  std::function<void()> before_repetition = {};  // not timed: the bandwidth probe
  // What is going on, before each run: "prefill, repetition 3".
  std::function<void(const std::string&)> progress = {};
};

struct PhaseResult {
  std::vector<TimedRun> runs;   // counted, in order of time
  std::vector<double> times_s;  // when each began, from the first
  Series tokens_per_s;          // of the runs
  std::uint32_t warmups = 0;
  bool settled = false;  // else `unsettled` says why the warm-up ended
  std::string unsettled;
  bool precise = false;  // the interval is within Pace::precision
  EnergyOfPhase energy;  // gross; net_joules is the caller's, who knows the idle power
  std::int64_t begin_ns = 0, end_ns = 0;  // marks around all counted runs
  std::int64_t warm_up_ns = 0;            // the mark at which the warm-up began
  std::int64_t finish_ns = 0;             // and the one behind the energy window

  // Of a value of each run.
  [[nodiscard]] Series series(const std::function<double(const TimedRun&)>& value) const;
};

// An error of `run` ends the phase.
Result<PhaseResult> run_phase(const PhaseTask& task, const Pace& pace, device::Recorder& recorder,
                              const Clock& clock);

// Seconds that an energy window takes with this sensor.
double energy_window_s(const device::SensorInfo& sensor);

// Power with nothing to do, over a window as long as the sensor needs; n/a without a sensor, or
// when it cannot resolve one.
Known<device::Idle> measure_idle(const Pace& pace, device::Recorder& recorder, const Clock& clock);

}  // namespace edgelm::measure
