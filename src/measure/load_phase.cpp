// First, cold and warm loads.

#include "measure/load_phase.h"

#include <fmt/format.h>

#include "base/counted.h"
#include "measure/token_runner.h"
#include "measure/weight_pages.h"
#include "os/clock.h"
#include "stats/summary.h"

namespace edgelm::measure {
namespace {

void say(const Surroundings& around, const char* what) {
  if (around.progress) around.progress(what);
}

// The files that the model is read from. The first load may write a packed image beside them, and
// both are what a later start reads.
Result<std::vector<std::string>> first_load(const Rig& rig, const plan::Limits& limits,
                                            const Surroundings& around, Record& record) {
  say(around, "first load");
  EDGELM_TRY_ASSIGN(Running running, load_once(rig, limits, around.clock));
  if (rig.settle) rig.settle(running.loaded);
  const plan::Plan& plan = running.loaded.model->plan();
  record.notes.push_back(fmt::format("first load, as the caches were: {:.1f} ms", running.load_ms));
  return backing_files(plan, weight_ranges(plan, running.loaded.packed), around.files);
}

Known<double> cold_load(const Rig& rig, const plan::Limits& limits, const Surroundings& around,
                        const std::vector<std::string>& paths, Record& record) {
  if (paths.empty())
    return not_available(
        "the model comes from no file: it is made in memory or part of the program");
  if (const Status dropped = drop_from_page_cache(paths, around.files); !dropped)
    return not_available("the page cache could not be emptied: " + dropped.error().message);
  say(around, "cold load");
  const std::int64_t begin = around.recorder.mark();
  const Result<Running> running = load_once(rig, limits, around.clock);
  const std::int64_t end = around.recorder.mark();
  if (!running) return not_available(running.error().message);
  record.load.gross = around.recorder.energy(begin, end);
  record.load.tokens = 1;
  return running->load_ms;
}

// Loads back to back, for the energy of a load that is too short for the sensor.
Status warm_load_energy(const Rig& rig, const plan::Limits& limits, const Pace& pace,
                        const Surroundings& around, Record& record) {
  const device::SensorInfo* sensor = around.recorder.sensor();
  if (sensor == nullptr || record.load.gross) return {};
  if (energy_window_s(*sensor) > pace.max_window_s) {
    record.load.gross = not_available(
        fmt::format("{} needs windows of {:.0f} s", sensor->id, energy_window_s(*sensor)));
    return {};
  }
  std::string dead = around.recorder.failure();
  if (!dead.empty()) {
    record.load.gross = not_available(std::move(dead));
    return {};
  }
  say(around, "warm loads, energy");
  double loads = 0;
  const std::int64_t begin = around.recorder.mark();
  const std::int64_t start = around.clock.now_ns();
  do {
    EDGELM_TRY(load_once(rig, limits, around.clock));
    ++loads;
    dead = around.recorder.failure();
  } while (dead.empty() && os::ns_to_s(around.clock.now_ns() - start) < energy_window_s(*sensor));
  const std::int64_t end = around.recorder.mark();
  record.load.gross =
      dead.empty() ? around.recorder.energy(begin, end) : not_available(std::move(dead));
  record.load.tokens = loads;
  record.notes.push_back(fmt::format("energy of loading: {} in one window",
                                     counted(static_cast<std::uint64_t>(loads), "warm load")));
  return {};
}

}  // namespace

Result<Running> load_once(const Rig& rig, const plan::Limits& limits, const Clock& clock) {
  const std::int64_t start = clock.now_ns();
  Running running;
  EDGELM_TRY_ASSIGN(running.loaded, rig.load());
  const model::Model& model = *running.loaded.model;
  EDGELM_TRY_ASSIGN(running.executor, running.loaded.backend->compile(model.plan(), limits));
  TokenRunner runner(*running.executor, model.hparams().n_vocab, 1, 1);
  std::vector<std::int64_t> step_ns;
  step_ns.reserve(1);
  EDGELM_TRY(runner.decode(0, 1, step_ns));
  running.load_ms = os::ns_to_ms(clock.now_ns() - start);
  return running;
}

Result<Running> measure_load(const CellSpec& spec, const Rig& rig, const plan::Limits& limits,
                             const Surroundings& around, Record& record) {
  EDGELM_TRY_ASSIGN(const std::vector<std::string> paths, first_load(rig, limits, around, record));
  record.cold_load_ms = spec.cold_load
                            ? cold_load(rig, limits, around, paths, record)
                            : not_available("not asked for: see the first cell of this model");
  EDGELM_TRY(warm_load_energy(rig, limits, spec.pace, around, record));
  say(around, "warm load");
  // Three where they are short; the model of the last one stays.
  std::vector<double> times;
  for (;;) {
    EDGELM_TRY_ASSIGN(Running running, load_once(rig, limits, around.clock));
    times.push_back(running.load_ms);
    if (times.size() < 3 && running.load_ms < 2000) continue;
    record.warm_load_ms = stats::median(times);
    if (rig.settle) rig.settle(running.loaded);
    return running;
  }
}

}  // namespace edgelm::measure
