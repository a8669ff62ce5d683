// edgelm eval: the parent of the evaluations, and what they share.

#include <fmt/format.h>

#include <cstdlib>

#include "api/json.h"
#include "apps/edgelm/eval.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/numbers.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/run.h"
#include "base/counted.h"
#include "measure/cell.h"
#include "os/file.h"
#include "quality/endpoint_subject.h"
#include "report/record_json.h"

namespace edgelm::apps {

void add_subject_flags(CLI::App& command, EvalOptions& options) {
  command.add_option("model,-m,--model", options.model,
                     std::string(kModelHelp) + "; with --endpoint the server's name for a model");
  command
      .add_option("--endpoint", options.endpoint,
                  "An OpenAI-compatible server instead of a file: http://127.0.0.1:8080")
      ->check(not_empty());
  command.add_option("--api-key-file", options.api_key_file,
                     "The server's key (default: environment OPENAI_API_KEY, if set)");
  command
      .add_option(
          "--timeout", options.timeout_s,
          "Seconds to wait for the server: to its first piece of text, and from one to the next")
      ->check(CLI::Range(1, 86400))
      ->capture_default_str();
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
  command.add_flag("--no-store", options.no_store, "Do not keep the result in the store");
  command.add_option("--store", options.store, "The store (default: EDGELM_STORE, or the user's)");
}

namespace {

// A subject with what it stands on.
struct OpenSubject {
  std::unique_ptr<backend::CpuBackend> backend;
  std::unique_ptr<quality::Subject> subject;
};

constexpr std::uint64_t kMaxKeyBytes = 64 << 10;

Result<std::string> api_key(const EvalOptions& options) {
  if (options.api_key_file.empty()) {
    const char* from_environment = std::getenv("OPENAI_API_KEY");
    return from_environment != nullptr ? from_environment : "";
  }
  EDGELM_TRY_ASSIGN(std::string key, os::read_file(options.api_key_file, kMaxKeyBytes));
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' '))
    key.pop_back();
  return key;
}

Result<OpenSubject> open_subject(const EvalOptions& options) {
  OpenSubject open;
  if (!options.endpoint.empty()) {
    endpoint::Options server;
    server.url = options.endpoint;
    server.model = options.model;
    server.timeout = std::chrono::seconds(options.timeout_s);
    server.cancelled = [] { return interrupted.load(); };
    EDGELM_TRY_ASSIGN(server.api_key, api_key(options));
    EDGELM_TRY_ASSIGN(auto connected, endpoint::Endpoint::connect(server));
    open.subject = std::make_unique<quality::EndpointSubject>(std::move(connected));
    return open;
  }
  EDGELM_TRY_ASSIGN(open.backend, backend::CpuBackend::create(options.cpu));
  EDGELM_TRY_ASSIGN(const auto model, load_model(options.model));
  if (options.subject.context > model->hparams().context_length)
    warn(fmt::format("a context of {} tokens is beyond the {} that the model's header states",
                     options.subject.context, model->hparams().context_length));
  EDGELM_TRY_ASSIGN(open.subject, quality::FileSubject::create(model, *open.backend,
                                                               subject_options(options, *model)));
  return open;
}

}  // namespace

quality::FileSubjectOptions subject_options(const EvalOptions& options, const model::Model& model) {
  quality::FileSubjectOptions subject = options.subject;
  subject.model_hash = measure::model_hash(model.file());
  subject.engine = "edgelm " EDGELM_VERSION;
  return subject;
}

quality::EvaluationOptions evaluation_options(const EvalOptions& options, Progress& progress) {
  return {.items = options.items,
          .seed = options.seed,
          .cancelled = [] { return interrupted.load(); },
          .progress = [&progress](std::uint64_t done, std::uint64_t all,
                                  const std::string& note) { progress.update(done, all, note); }};
}

namespace {

std::string answers_of(const quality::Record& record) {
  std::string text;
  for (const quality::Item& item : record.items) {
    text += fmt::format("## {}\n\n{}\n\n### Answer{}\n\n{}\n\n", item.id, item.question,
                        item.value > 0.5 ? "" : " (cut at the limit)", item.answer);
    if (!item.expected.empty()) text += fmt::format("### Reference\n\n{}\n\n", item.expected);
  }
  return text;
}

Status finish(const EvalOptions& options, quality::Evaluation& evaluation) {
  for (const std::string& note : evaluation.notes) warn(note);
  if (evaluation.stopped && !evaluation.records.empty())
    warn(fmt::format("{} of {} done; the figures are over these", evaluation.done,
                     counted(evaluation.asked, "item was", "items were")));
  EDGELM_TRY(keep(options, evaluation.records));
  if (options.output == "json") {
    api::Json json = {{"asked", evaluation.asked}, {"done", evaluation.done}};
    api::Json& records = json["records"] = api::Json::array();
    for (const quality::Record& record : evaluation.records)
      records.push_back(report::to_json(record));
    EDGELM_TRY(write_result(api::dump(json) + "\n"));
  } else {
    for (const quality::Record& record : evaluation.records)
      EDGELM_TRY(write_result(
          record.task == "open" ? answers_of(record)
                                : fmt::format("{}: {}\n", record.task, quality::describe(record))));
  }
  if (evaluation.stopped) return fail(*evaluation.stopped);
  return {};
}

}  // namespace

Status run_evaluation(const EvalOptions& options, const Work& work) {
  const InterruptGuard guard(/*also_terminate=*/true);
  EDGELM_TRY_ASSIGN(const OpenSubject open, open_subject(options));
  std::optional<quality::Evaluation> evaluation;
  {
    Progress progress;
    EDGELM_TRY_ASSIGN(evaluation, work(*open.subject, evaluation_options(options, progress)));
  }
  return finish(options, *evaluation);
}

void add_eval(CLI::App& app, Outcome& outcome) {
  CLI::App* eval = app.add_subcommand("eval", "Measure answer quality");
  eval->require_subcommand(1);
  add_eval_perplexity(*eval, outcome);
  add_eval_kl(*eval, outcome);
  add_eval_choice(*eval, outcome);
  add_eval_lambada(*eval, outcome);
  add_eval_gsm8k(*eval, outcome);
  add_eval_open(*eval, outcome);
  add_eval_compare(*eval, outcome);
}

}  // namespace edgelm::apps
