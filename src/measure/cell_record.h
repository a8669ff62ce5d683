#pragma once
// What the cells of this engine and of servers put into their records in the same way: remarks on a
// phase, idle power and net energy, state, the time line.

#include "measure/cell.h"

namespace edgelm::measure {

std::string utc_now();  // RFC 3339

// What was watched around the phases.
struct Watched {
  std::int64_t cell_begin_ns = 0;         // of the time line
  std::int64_t begin_ns = 0, end_ns = 0;  // marks around the timed phases
  Known<device::Idle> idle_before = not_available("no power sensor");
  Known<device::Idle> idle_after = not_available("no power sensor");
  std::vector<PhaseSpan> phases;  // by the recorder's clock

  // Between two marks. What took no time (idle, without a sensor) has no place on a time line.
  void took(CellPhase phase, std::int64_t from_ns, std::int64_t to_ns);
};

// Warm-up, precision and drift of a phase, and when it was.
void take_phase(CellPhase which, const PhaseResult& phase, Watched& watched, Record& record);

// Idle power, net joules of all phases, sensor, throttling between the marks, and the time line
// with its phases.
void finish_energy(const device::Recorder& recorder, const Watched& watched, Record& record);

// Runs `measure`, and turns its error, or memory that was refused, into the record's outcome.
void run_guarded(const std::function<Status()>& measure, Record& record);

}  // namespace edgelm::measure
