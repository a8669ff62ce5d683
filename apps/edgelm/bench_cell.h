#pragma once
// One cell of a sweep as a job for a child process: what the parent writes to its input, and what
// it answers. The child is this program with the hidden subcommand bench-cell.

#include <functional>
#include <string>

#include "api/json.h"
#include "measure/cell.h"
#include "measure/child_process.h"

namespace edgelm::apps {

struct CellJob {
  measure::CellSpec spec;
  std::string model;         // as the command line has it: with its folder
  bool handed_down = false;  // the model is on measure::kChildDescriptor
  std::string isa;           // "": the best
  bool repack = true;
  bool cache = true;
  bool probe = true;
  std::string power = "auto";
  std::string endpoint;  // not empty: a server is measured, and `model` is its name there
  std::string api_key_env;
  double endpoint_timeout_s = 120;  // without a piece of text
};

api::Json to_json(const CellJob& job);
Result<CellJob> job_from_text(std::string_view text);

// How a child is watched.
struct CellWatch {
  double timeout_s = 0;
  std::function<void(const std::string& phase)> progress = {};
  std::function<void(const std::string& line)> on_error = {};
  std::function<bool()> stop = {};
};

// Runs the job in a process of its own; `descriptor` is that of the model, or -1. Whatever the
// child comes to is a record, but for a stop, which is an error.
Result<measure::Record> run_cell_process(const CellJob& job, int descriptor,
                                         const CellWatch& watch);

}  // namespace edgelm::apps
