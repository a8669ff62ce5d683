#pragma once
// What the cells of this engine and of servers put into their records in the same way: remarks on a
// phase, idle power and net energy, state, the time line.

#include "measure/cell.h"

namespace edgelm::measure {

std::string utc_now();  // RFC 3339

// Warm-up, precision and drift of a phase.
void take_phase(const char* name, const PhaseResult& phase, Record& record);

// Net joules of all phases, sensor, throttling between the marks, and the time line. After
// Record::idle_watts_before and _after have been filled in.
void finish_energy(device::Recorder& recorder, std::int64_t cell_begin_ns, std::int64_t begin_ns,
                   std::int64_t end_ns, Record& record);

// Runs `measure`, and turns its error, or memory that was refused, into the record's outcome.
void run_guarded(const std::function<Status()>& measure, Record& record);

}  // namespace edgelm::measure
