#pragma once
// One cell of a sweep, measured on this engine: load, prefill with the time to the first token,
// decode, memory and energy, as one record. The protocol itself (docs/measuring.md); what it runs
// on comes in as a Rig, so that it is tested on a scripted backend and recorder. Whatever goes
// wrong is a record too.

#include <functional>
#include <memory>
#include <string>

#include "backend/cpu/cpu_backend.h"
#include "measure/phase.h"
#include "measure/record.h"
#include "model/model.h"
#include "os/system_files.h"

namespace edgelm::measure {

// The definitions that every figure follows, in one line, for the foot of each output.
std::string_view definitions();

struct CellSpec {
  Settings settings;  // model_hash, type and isa are filled in where they are empty
  Pace pace;
  bool cold_load = true;  // measure it: reads the whole file again
  bool force = false;     // try what will not fit by the plan
};

// A model, and what runs it.
struct Loaded {
  std::shared_ptr<const model::Model> model;
  std::unique_ptr<backend::Backend> backend;
  const backend::PackedWeights* packed = nullptr;  // after compiling; may stay nullptr
  std::string isa;
};

struct Rig {
  // Opens the model and starts the backend; no weight is touched.
  std::function<Result<Loaded>()> load;
  // After the first compile: waits until nothing more is written, and sets Loaded::packed.
  std::function<void(Loaded&)> settle;
  // Bytes per second that this memory delivers to the same threads; empty where there is no probe.
  std::function<Result<std::function<double()>>(Loaded&)> probe;
};

// `cpu.decode_threads` and `prefill_threads` are those of the cell. `open` may be called often.
Rig cpu_rig(std::function<Result<std::shared_ptr<const model::Model>>()> open,
            const backend::CpuOptions& cpu);

struct Surroundings {
  device::Recorder& recorder;
  const os::SystemFiles& files;
  Clock clock = system_clock();
  std::function<void(const std::string&)> progress = {};  // "prefill, repetition 3"
};

// Never fails: Record::outcome tells. id, run_id, version and passport are the caller's.
Record measure_cell(const CellSpec& spec, const Rig& rig, const Surroundings& around);

// Identifies a model file by its header and size: 16 hex digits.
std::string model_hash(const formats::GgufFile& file);

}  // namespace edgelm::measure
