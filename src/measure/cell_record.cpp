// Parts of a record that every cell has.

#include "measure/cell_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <new>

#include "base/counted.h"
#include "measure/series.h"

namespace edgelm::measure {
namespace {

constexpr std::size_t kTimelineSamples = 2000;
constexpr std::int64_t kShortestSpanNs = 1'000'000;

template <class T>
std::vector<T> thinned(const std::vector<T>& samples, std::int64_t begin_ns) {
  std::vector<T> kept;
  const std::size_t every = samples.size() / kTimelineSamples + 1;
  kept.reserve(samples.size() / every + 1);
  for (std::size_t i = 0; i < samples.size(); i += every) {
    kept.push_back(samples[i]);
    kept.back().t_ns -= begin_ns;
  }
  return kept;
}

}  // namespace

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

void Watched::took(CellPhase phase, std::int64_t from_ns, std::int64_t to_ns) {
  if (to_ns - from_ns >= kShortestSpanNs) phases.push_back({phase, from_ns, to_ns});
}

void take_phase(CellPhase which, const PhaseResult& phase, Watched& watched, Record& record) {
  const std::string_view name = phase_word(which);
  watched.took(CellPhase::kWarmUp, phase.warm_up_ns, phase.begin_ns);
  watched.took(which, phase.begin_ns, phase.finish_ns);
  record.warmup_runs += phase.warmups;
  if (!phase.settled) {
    record.settled = false;
    record.notes.push_back(fmt::format("{}: {}", name, phase.unsettled));
  }
  if (!phase.precise)
    record.notes.push_back(fmt::format("{}: the median is known to {:.1f} % after {}", name,
                                       100 * relative_precision(phase.tokens_per_s),
                                       counted(phase.runs.size(), "repetition")));
  if (!phase.tokens_per_s.outliers.empty())
    record.notes.push_back(
        fmt::format("{}: {} of {} beyond 5 MAD", name, phase.tokens_per_s.outliers.size(),
                    counted(phase.runs.size(), "repetition lies", "repetitions lie")));
  if (phase.tokens_per_s.drifting)
    record.notes.push_back(fmt::format("{}: the rate drifts by {:+.2f} % per second", name,
                                       100 * phase.tokens_per_s.slope_per_s));
}

void finish_energy(const device::Recorder& recorder, const Watched& watched, Record& record) {
  const auto watts = [](const device::Idle& idle) { return idle.watts; };
  record.idle_watts_before = watched.idle_before.map(watts);
  record.idle_watts_after = watched.idle_after.map(watts);
  bool uncertain = false;
  double drift = 0;
  for (EnergyOfPhase* phase : {&record.load, &record.prefill, &record.decode}) {
    const Known<device::Net> net =
        device::net_energy(phase->gross, watched.idle_before, watched.idle_after);
    phase->net_joules = net.map([](const device::Net& n) { return n.joules; });
    if (!net) continue;
    // What is left of two equal figures is rounding.
    if (std::abs(net->joules) < 1e-9 * phase->gross->joules) phase->net_joules = 0.0;
    uncertain = uncertain || net->low_confidence;
    drift = std::max(drift, net->drift);
  }
  if (uncertain)
    record.notes.push_back(
        fmt::format("net joules are uncertain: idle power moved by {:.0f} % from before to after, "
                    "or the sensor "
                    "was not sure of a window",
                    100 * drift));
  record.state = recorder.state(watched.begin_ns, watched.end_ns);
  if (record.state.throttled)
    record.notes.push_back("throttled while measuring: " + record.state.cause);
  if (const device::SensorInfo* sensor = recorder.sensor()) record.sensor = *sensor;
  record.watts = thinned(recorder.watts(), watched.cell_begin_ns);
  record.states = thinned(recorder.states(), watched.cell_begin_ns);
  record.phases = watched.phases;
  for (PhaseSpan& span : record.phases) {
    span.begin_ns -= watched.cell_begin_ns;
    span.end_ns -= watched.cell_begin_ns;
  }
}

void run_guarded(const std::function<Status()>& measure, Record& record) {
  Status status;
  try {
    status = measure();
  } catch (const std::bad_alloc&) {
    status = fail(ErrorCode::kMemory, "the system refused memory");
  }
  if (status) return;
  record.outcome =
      status.error().code == ErrorCode::kMemory ? Outcome::kOutOfMemory : Outcome::kFailed;
  record.reason = status.error().message;
}

}  // namespace edgelm::measure
