#pragma once
// What the subcommands of `edgelm eval` share: who is evaluated (a model file or an endpoint), how
// many items, and what becomes of the result. Each subcommand is a file add_eval_<name>.cpp.

#include <CLI/CLI.hpp>
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
  quality::FileSubjectOptions subject;
  backend::CpuOptions cpu;
  std::size_t items = 0;
  std::uint64_t seed = 1;
  std::string output = "text";
};

// -m, -c, -b, --kv-type, -t and so on, for everything that runs a model file.
void add_file_flags(CLI::App& command, EvalOptions& options);
// --tasks N, --seed
void add_sample_flags(CLI::App& command, EvalOptions& options, const char* what);
// -o
void add_output_flags(CLI::App& command, EvalOptions& options);

// A subject with what it stands on.
struct OpenSubject {
  std::unique_ptr<backend::CpuBackend> backend;
  std::unique_ptr<quality::Subject> subject;
};
Result<OpenSubject> open_subject(const EvalOptions& options);

quality::EvaluationOptions evaluation_options(const EvalOptions& options, Progress& progress);
Status finish_evaluation(const EvalOptions& options, quality::Evaluation evaluation);

void add_eval_perplexity(CLI::App& eval, Outcome& outcome);
void add_eval_choice(CLI::App& eval, Outcome& outcome);
void add_eval_compare(CLI::App& eval, Outcome& outcome);

}  // namespace edgelm::apps
