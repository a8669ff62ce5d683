// edgelm eval lambada: the last word of a passage.

#include "apps/edgelm/eval.h"
#include "apps/edgelm/run.h"
#include "quality/lambada.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  edgelm eval lambada model.gguf -f lambada_test.jsonl --tasks 500\n"
    "  edgelm eval lambada --endpoint http://127.0.0.1:8080 -f lambada_test.jsonl --generated\n";

struct Options : EvalOptions {
  std::string file;
  bool generated = false;
};

Status eval_lambada(Options& options) {
  EDGELM_TRY_ASSIGN(const quality::TextFile file, quality::read_text_file(options.file));
  EDGELM_TRY_ASSIGN(const auto passages, quality::read_lambada(file));
  return run_evaluation(
      options,
      [&](quality::Subject& subject,
          const quality::EvaluationOptions& shared) -> Result<quality::Evaluation> {
        quality::LambadaOptions lambada;
        static_cast<quality::EvaluationOptions&>(lambada) = shared;
        lambada.by_generation = options.generated;
        if (!options.generated) {
          if (Status scores = subject.can_score(); !scores) {
            scores.error().message += "; --generated compares words instead";
            return fail(scores.error());
          }
        }
        return quality::evaluate_lambada(subject, passages, file.name, lambada);
      });
}

}  // namespace

void add_eval_lambada(CLI::App& eval, Outcome& outcome) {
  CLI::App* command = eval.add_subcommand("lambada", "The last word of passages");
  command->footer(kExamples);
  auto options = std::make_shared<Options>();
  add_subject_flags(*command, *options);
  command->add_option("-f,--file", options->file, "JSON lines of {\"text\": ...}")->required();
  command->add_flag("--generated", options->generated,
                    "Compare the first word of a continuation instead of scoring the word");
  add_sample_flags(*command, *options, "Take only N passages, drawn by --seed");
  add_output_flags(*command, *options);
  command->callback([options, &outcome] { outcome.status = eval_lambada(*options); });
}

}  // namespace edgelm::apps
