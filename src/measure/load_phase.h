#pragma once
// The load phases of a cell: how long from opening the file until the model runs at speed, with
// the page cache empty and with it full. "Runs at speed" means that one token has passed through
// the whole model, because a mapped file is only read when it is used: an engine that maps would
// otherwise load in no time, and pay for it in the first prompt.

#include "measure/cell.h"

namespace edgelm::measure {

// A loaded model with its compiled plan. The executor goes before the backend, that before the
// model.
struct Running {
  Loaded loaded;
  std::unique_ptr<backend::Executor> executor;
  double load_ms = 0;
};

// Opens, compiles for `limits`, runs one token.
Result<Running> load_once(const Rig& rig, const plan::Limits& limits, const Clock& clock);

// Fills the load figures of `record` and leaves the model loaded, warm. kMemory when it does not
// fit.
Result<Running> measure_load(const CellSpec& spec, const Rig& rig, const plan::Limits& limits,
                             const Surroundings& around, Record& record);

}  // namespace edgelm::measure
