// edgelm eval choice: multiple-choice questions by log-likelihood.

#include <fmt/format.h>

#include "apps/edgelm/eval.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/run.h"
#include "quality/choice.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "Formats: hellaswag (six lines per task), mmlu (csv, or a folder of them; examples come from\n"
    "../dev), arc, openbookqa, piqa, winogrande, boolq (instruction json).\n\n"
    "Examples:\n"
    "  edgelm eval choice model.gguf -f hellaswag_val_full.txt --tasks 400\n"
    "  edgelm eval choice model.gguf -f mmlu/test --shots 5 --tasks 500\n"
    "  edgelm eval choice model.gguf -f openbookqa.test.json -o json >a.json\n"
    "  edgelm eval choice --endpoint http://127.0.0.1:11434 -m qwen2.5:1.5b -f mmlu --letters\n";

struct Options : EvalOptions {
  quality::ChoiceFiles files;
  std::string format;
  bool letters = false;
  std::uint32_t max_tokens = 64;
};

Status eval_choice(Options& options) {
  if (!options.format.empty()) options.files.format = quality::format_of(options.format);
  EDGELM_TRY_ASSIGN(const quality::ChoiceSet set, quality::read_choices(options.files));
  return run_evaluation(
      options,
      [&](quality::Subject& subject,
          const quality::EvaluationOptions& shared) -> Result<quality::Evaluation> {
        quality::ChoiceOptions choice;
        static_cast<quality::EvaluationOptions&>(choice) = shared;
        choice.by_letter = options.letters;
        choice.max_tokens = options.max_tokens;
        if (!choice.by_letter) {
          if (Status scores = subject.can_score(); !scores) {
            scores.error().message += "; --letters asks for the letter of the right choice instead";
            return fail(scores.error());
          }
        }
        return quality::evaluate_choices(subject, set, choice);
      });
}

}  // namespace

void add_eval_choice(CLI::App& eval, Outcome& outcome) {
  CLI::App* command = eval.add_subcommand("choice", "Multiple-choice questions");
  command->footer(kExamples);
  auto options = std::make_shared<Options>();
  add_subject_flags(*command, *options);
  command->add_option("-f,--file", options->files.path, "The questions")->required();
  command->add_option("--format", options->format, "Of the file (default: recognised)")
      ->check(
          CLI::IsMember({"hellaswag", "mmlu", "arc", "openbookqa", "piqa", "winogrande", "boolq"}));
  command->add_option("--shots", options->files.shots, "MMLU: examples before each question")
      ->check(CLI::Range(0, 5))
      ->capture_default_str();
  command->add_option("--dev", options->files.dev, "MMLU: file or folder of the examples");
  command->add_flag("--letters", options->letters,
                    "Ask for the letter of the right choice instead of scoring each");
  command->add_option("--max-tokens", options->max_tokens, "Of an answer to --letters")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  add_sample_flags(*command, *options, "Answer only N questions, drawn by --seed");
  add_output_flags(*command, *options);
  command->callback([options, &outcome] { outcome.status = eval_choice(*options); });
}

}  // namespace edgelm::apps
