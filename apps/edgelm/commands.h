#pragma once
// The subcommands. Each file add_<name>.cpp declares its flags on `app` and sets a callback that
// does the work and stores its exit code; main.cpp prints errors. Flags in, objects wired, result
// out: no logic lives here that a test would want to reach without a process.

#include <CLI/CLI.hpp>

#include "base/result.h"

namespace edgelm::apps {

// Set by a subcommand's callback: the outcome that main() turns into an exit code and a message.
struct Outcome {
  Status status;
  int exit_code = 0;  // when the status is good: 130 after Ctrl-C
};

void add_run(CLI::App& app, Outcome& outcome);
void add_bench(CLI::App& app, Outcome& outcome);
void add_bench_cell(CLI::App& app, Outcome& outcome);  // hidden: what bench runs in a process
void add_eval(CLI::App& app, Outcome& outcome);
void add_inspect(CLI::App& app, Outcome& outcome);
void add_tokenize(CLI::App& app, Outcome& outcome);
void add_synth(CLI::App& app, Outcome& outcome);
void add_cache(CLI::App& app, Outcome& outcome);
void add_plan(CLI::App& app, Outcome& outcome);
void add_report(CLI::App& app, Outcome& outcome);
void add_compare(CLI::App& app, Outcome& outcome);
void add_device(CLI::App& app, Outcome& outcome);

}  // namespace edgelm::apps
