// Warm-up, repetitions, energy window, idle.

#include "measure/phase.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "base/counted.h"
#include "measure/series.h"
#include "os/clock.h"
#include "stats/settle.h"

namespace edgelm::measure {
namespace {

constexpr double kNapS = 0.5;

void say(const PhaseTask& task, const std::string& what) {
  if (task.progress) task.progress(task.name + ", " + what);
}

Status warm_up(const PhaseTask& task, const Pace& pace, const Clock& clock, PhaseResult& result) {
  // Few repetitions mean that somebody wants it short: one run then, for page faults and caches.
  const bool brief = pace.max_repetitions < 5;
  const std::int64_t start = clock.now_ns();
  stats::SettleDetector detector;
  for (;;) {
    say(task, "warm-up");
    EDGELM_TRY_ASSIGN(const TimedRun run, task.run());
    ++result.warmups;
    detector.add(run.tokens / run.seconds);
    if (detector.settled()) {
      result.settled = true;
      return {};
    }
    if (brief) {
      result.unsettled =
          fmt::format("one warm-up run alone, for {}", counted(pace.max_repetitions, "repetition"));
      return {};
    }
    if (result.warmups >= pace.max_warmups) {
      result.unsettled =
          fmt::format("rates had not settled after {}", counted(result.warmups, "warm-up run"));
      return {};
    }
    if (os::ns_to_s(clock.now_ns() - start) > pace.budget_s / 3) {
      result.unsettled =
          fmt::format("no time for more than {}", counted(result.warmups, "warm-up run"));
      return {};
    }
  }
}

bool enough(const PhaseResult& result, const Pace& pace, double elapsed_s) {
  const std::size_t n = result.runs.size();
  if (n >= pace.max_repetitions) return true;
  if (n >= 3 && elapsed_s >= pace.budget_s) return true;
  return n >= std::max(pace.min_repetitions, 1U) && result.precise;
}

Status repeat(const PhaseTask& task, const Pace& pace, device::Recorder& recorder,
              const Clock& clock, PhaseResult& result) {
  std::vector<double> rates;
  result.begin_ns = recorder.mark();
  const std::int64_t start = clock.now_ns();
  do {
    say(task, fmt::format("repetition {}", result.runs.size() + 1));
    if (task.before_repetition) task.before_repetition();
    result.times_s.push_back(os::ns_to_s(clock.now_ns() - start));
    EDGELM_TRY_ASSIGN(TimedRun run, task.run());
    if (!(run.seconds > 0)) return fail(ErrorCode::kInternal, "{}: a run took no time", task.name);
    rates.push_back(run.tokens / run.seconds);
    result.runs.push_back(std::move(run));
    result.tokens_per_s = make_series(rates, result.times_s);
    result.precise = relative_precision(result.tokens_per_s) <= pace.precision;
  } while (!enough(result, pace, os::ns_to_s(clock.now_ns() - start)));
  result.end_ns = recorder.mark();
  return {};
}

// Runs back to back, with nothing between them, for as long as the sensor needs.
Status energy_window(const PhaseTask& task, const Pace& pace, device::Recorder& recorder,
                     const Clock& clock, PhaseResult& result) {
  const device::SensorInfo* sensor = recorder.sensor();
  if (sensor == nullptr) {
    result.energy.gross = recorder.energy(result.begin_ns, result.end_ns);
    return {};
  }
  const double window_s = energy_window_s(*sensor);
  if (window_s > pace.max_window_s) {
    result.energy.gross =
        not_available(fmt::format("{} needs windows of {:.0f} s, the limit is {:.0f} s", sensor->id,
                                  window_s, pace.max_window_s));
    return {};
  }
  std::string dead = recorder.failure();
  if (!dead.empty()) {
    result.energy.gross = not_available(std::move(dead));
    return {};
  }
  say(task, "energy");
  const std::int64_t begin = recorder.mark();
  const std::int64_t start = clock.now_ns();
  do {
    EDGELM_TRY_ASSIGN(const TimedRun run, task.run());
    result.energy.tokens += run.tokens;
    dead = recorder.failure();
  } while (dead.empty() && os::ns_to_s(clock.now_ns() - start) < window_s);
  const std::int64_t end = recorder.mark();
  result.energy.gross = dead.empty() ? recorder.energy(begin, end) : not_available(dead);
  result.finish_ns = end;
  return {};
}

}  // namespace

Clock system_clock() {
  return {os::now_ns, [](double seconds) {
            std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
          }};
}

Series PhaseResult::series(const std::function<double(const TimedRun&)>& value) const {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const TimedRun& run : runs) values.push_back(value(run));
  return make_series(values, times_s);
}

Result<PhaseResult> run_phase(const PhaseTask& task, const Pace& pace, device::Recorder& recorder,
                              const Clock& clock) {
  PhaseResult result;
  result.warm_up_ns = recorder.mark();
  EDGELM_TRY(warm_up(task, pace, clock, result));
  EDGELM_TRY(repeat(task, pace, recorder, clock, result));
  result.finish_ns = result.end_ns;
  EDGELM_TRY(energy_window(task, pace, recorder, clock, result));
  return result;
}

double energy_window_s(const device::SensorInfo& sensor) {
  // Ten periods: the two at the edges are then a tenth of what is integrated. A twentieth more than
  // the least, because a window that ends exactly there may be judged shorter.
  return 1.05 * std::max({sensor.min_window_s, 10 * sensor.period_s, 0.5});
}

Known<device::Idle> measure_idle(const Pace& pace, device::Recorder& recorder, const Clock& clock) {
  const device::SensorInfo* sensor = recorder.sensor();
  if (sensor != nullptr && pace.idle_s <= 0)
    return not_available("idle was not measured (--idle 0)");
  const double window_s = sensor == nullptr ? 0 : energy_window_s(*sensor);
  if (window_s > pace.max_window_s)
    return not_available(fmt::format("{} needs windows of {:.0f} s", sensor->id, window_s));
  // In short naps: nobody waits for a sensor that dies meanwhile.
  std::string dead = recorder.failure();
  const auto sleep = [&](double seconds) {
    for (; seconds > 0 && dead.empty(); seconds -= kNapS) {
      clock.sleep(std::min(seconds, kNapS));
      dead = recorder.failure();
    }
    return dead.empty();
  };
  auto idle =
      device::measure_idle(recorder, sleep, pace.idle_settle_s, std::max(pace.idle_s, window_s));
  if (!dead.empty()) return not_available(std::move(dead));
  return idle;
}

}  // namespace edgelm::measure
