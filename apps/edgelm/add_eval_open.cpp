// edgelm eval open: questions whose answers are kept for reading.

#include <fmt/format.h>

#include "apps/edgelm/eval.h"
#include "apps/edgelm/numbers.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/run.h"
#include "quality/open_questions.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  edgelm eval open model.gguf -f mt_bench.question.jsonl --tasks 10\n"
    "  edgelm eval open model.gguf -f mt_bench.question.jsonl --category math,coding --temp 0.7\n";

struct Options : EvalOptions {
  std::string file;
  quality::OpenOptions open;
};

Status eval_open(Options& options) {
  EDGELM_TRY_ASSIGN(const quality::TextFile file, quality::read_text_file(options.file));
  EDGELM_TRY_ASSIGN(const auto questions, quality::read_questions(file));
  return run_evaluation(options,
                        [&](quality::Subject& subject, const quality::EvaluationOptions& shared) {
                          quality::OpenOptions open = options.open;
                          static_cast<quality::EvaluationOptions&>(open) = shared;
                          return quality::answer_questions(subject, questions, file.name, open);
                        });
}

}  // namespace

void add_eval_open(CLI::App& eval, Outcome& outcome) {
  CLI::App* command = eval.add_subcommand("open", "Open questions, answers kept for reading");
  command->footer(kExamples);
  auto options = std::make_shared<Options>();
  add_subject_flags(*command, *options);
  command
      ->add_option("-f,--file", options->file,
                   "JSON lines of {\"question_id\", \"category\", \"turns\"}")
      ->required();
  command->add_option("--category", options->open.categories, "Only these")->delimiter(',');
  command->add_option("-n,--max-tokens", options->open.generation.max_tokens, "Of an answer")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command->add_option("--temp", options->open.generation.temperature, "0: greedy")
      ->check(real_number(0, 10))
      ->capture_default_str();
  add_sample_flags(*command, *options, "Ask N questions, drawn by --seed");
  add_output_flags(*command, *options);
  command->callback([options, &outcome] { outcome.status = eval_open(*options); });
}

}  // namespace edgelm::apps
