#pragma once
// What the subcommands of `edgelm eval` share: who is evaluated (a model file or an endpoint), how
// many items, and what becomes of the result. Each subcommand is a file add_eval_<name>.cpp.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/progress.h"
#include "backend/cpu/cpu_backend.h"
#include "quality/evaluation.h"
#include "quality/file_subject.h"

namespace edgelm::apps {

struct EvalOptions {
  std::string model;
  std::string endpoint, api_key_file;
  std::uint32_t timeout_s = 300;
  quality::FileSubjectOptions subject;
  backend::CpuOptions cpu;
  std::size_t items = 0;
  std::uint64_t seed = 1;
  std::string output = "text";
  bool no_store = false;
  std::string store;
};

// -m, -c, -b, --kv-type, -t and so on for a model file; --endpoint and --api-key-file for a server.
void add_subject_flags(CLI::App& command, EvalOptions& options);
// options.subject, and what names model and engine in records.
quality::FileSubjectOptions subject_options(const EvalOptions& options, const model::Model& model);
// --tasks N, --seed
void add_sample_flags(CLI::App& command, EvalOptions& options, const char* what);
// -o, --store, --no-store
void add_output_flags(CLI::App& command, EvalOptions& options);

// Opens the subject, runs `work` with a progress bar and Ctrl-C as "cancelled", stores and prints
// what came of it, and returns the error that ended it early, if one did.
using Work = std::function<Result<quality::Evaluation>(quality::Subject&,
                                                       const quality::EvaluationOptions&)>;
Status run_evaluation(const EvalOptions& options, const Work& work);

quality::EvaluationOptions evaluation_options(const EvalOptions& options, Progress& progress);

// Gives the records a run, a time and a version, and stores them unless --no-store. A store that
// cannot be written is a warning: the result is printed all the same.
Status keep(const EvalOptions& options, std::vector<quality::Record>& records);
// Of a file that `-o json` printed, or of a run in the store.
Result<std::vector<quality::Record>> load_records(const std::string& name);

void add_eval_perplexity(CLI::App& eval, Outcome& outcome);
void add_eval_kl(CLI::App& eval, Outcome& outcome);
void add_eval_choice(CLI::App& eval, Outcome& outcome);
void add_eval_lambada(CLI::App& eval, Outcome& outcome);
void add_eval_gsm8k(CLI::App& eval, Outcome& outcome);
void add_eval_open(CLI::App& eval, Outcome& outcome);
void add_eval_compare(CLI::App& eval, Outcome& outcome);

}  // namespace edgelm::apps
