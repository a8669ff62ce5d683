// edgelm eval: the parent of the evaluations, and what they share.

#include <fmt/format.h>

#include "api/json.h"
#include "apps/edgelm/eval.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/run.h"
#include "quality/record_json.h"

namespace edgelm::apps {

void add_file_flags(CLI::App& command, EvalOptions& options) {
  command.add_option("model,-m,--model", options.model, kModelHelp);
  command
      .add_option("-c,--ctx", options.subject.context,
                  "Context in tokens (default: the model's own, at most 4096)")
      ->check(CLI::Range(2, 1 << 20));
  command.add_option("-b,--batch", options.subject.batch, "Tokens per step")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  add_kv_type_flag(command, options.subject.kv_type);
  add_cpu_flags(command, options.cpu);
}

void add_sample_flags(CLI::App& command, EvalOptions& options, const char* what) {
  command.add_option("--tasks", options.items, what)->check(CLI::Range(1, 1 << 30));
  command.add_option("--seed", options.seed, "Which of them: the same seed, the same questions")
      ->check(whole_number(~std::uint64_t{0}))
      ->capture_default_str();
}

void add_output_flags(CLI::App& command, EvalOptions& options) {
  command.add_option("-o,--output", options.output, "text or json (with every item)")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

Result<OpenSubject> open_subject(const EvalOptions& options) {
  OpenSubject open;
  EDGELM_TRY_ASSIGN(open.backend, backend::CpuBackend::create(options.cpu));
  EDGELM_TRY_ASSIGN(const auto model, load_model(options.model));
  if (options.subject.context > model->hparams().context_length)
    warn(fmt::format("a context of {} tokens is beyond the {} that the model's header states",
                     options.subject.context, model->hparams().context_length));
  EDGELM_TRY_ASSIGN(open.subject,
                    quality::FileSubject::create(model, *open.backend, options.subject));
  return open;
}

quality::EvaluationOptions evaluation_options(const EvalOptions& options, Progress& progress) {
  return {.items = options.items,
          .seed = options.seed,
          .cancelled = [] { return interrupted.load(); },
          .progress = [&progress](std::uint64_t done, std::uint64_t all,
                                  const std::string& note) { progress.update(done, all, note); }};
}

Status finish_evaluation(const EvalOptions& options, quality::Evaluation evaluation) {
  for (const std::string& note : evaluation.notes) warn(note);
  if (evaluation.stopped && !evaluation.records.empty())
    warn(fmt::format("{} of {} items were done; the figures are over these", evaluation.done,
                     evaluation.asked));
  if (options.output == "json") {
    api::Json json = {{"asked", evaluation.asked}, {"done", evaluation.done}};
    api::Json& records = json["records"] = api::Json::array();
    for (const quality::Record& record : evaluation.records)
      records.push_back(quality::to_json(record));
    EDGELM_TRY(write_result(api::dump(json) + "\n"));
  } else {
    for (const quality::Record& record : evaluation.records)
      EDGELM_TRY(write_result(fmt::format("{}: {}\n", record.task, quality::describe(record))));
  }
  if (evaluation.stopped) return fail(*evaluation.stopped);
  return {};
}

void add_eval(CLI::App& app, Outcome& outcome) {
  CLI::App* eval = app.add_subcommand("eval", "Measure answer quality");
  eval->require_subcommand(1);
  add_eval_perplexity(*eval, outcome);
  add_eval_choice(*eval, outcome);
  add_eval_compare(*eval, outcome);
}

}  // namespace edgelm::apps
