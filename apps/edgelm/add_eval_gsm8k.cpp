// edgelm eval gsm8k: word problems, answered freely.

#include "apps/edgelm/eval.h"
#include "apps/edgelm/run.h"
#include "quality/gsm8k.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "Pass@1 over a sample stratified by the question's length. With --shots, examples are "
    "problems\n"
    "of the same file outside the sample, or those of --examples (the training set).\n\n"
    "Examples:\n"
    "  edgelm eval gsm8k model.gguf -f gsm8k.test.jsonl\n"
    "  edgelm eval gsm8k model.gguf -f gsm8k.test.jsonl --plain --shots 5\n"
    "  edgelm eval gsm8k --endpoint http://127.0.0.1:11434 -m qwen2.5:1.5b -f gsm8k.test.jsonl\n";

struct Options : EvalOptions {
  std::string file, examples;
  quality::Gsm8kOptions gsm8k;
  bool plain = false;
};

Status eval_gsm8k(Options& options) {
  EDGELM_TRY_ASSIGN(const quality::TextFile file, quality::read_text_file(options.file));
  EDGELM_TRY_ASSIGN(const auto problems, quality::read_gsm8k(file));
  std::vector<quality::Problem> examples;
  if (!options.examples.empty()) {
    EDGELM_TRY_ASSIGN(const quality::TextFile other, quality::read_text_file(options.examples));
    EDGELM_TRY_ASSIGN(examples, quality::read_gsm8k(other));
  }
  return run_evaluation(
      options, [&](quality::Subject& subject, const quality::EvaluationOptions& shared) {
        quality::Gsm8kOptions gsm8k = options.gsm8k;
        static_cast<quality::EvaluationOptions&>(gsm8k) = shared;
        gsm8k.chat = !options.plain && subject.can_chat();
        return quality::evaluate_gsm8k(subject, problems, examples, file.name, gsm8k);
      });
}

}  // namespace

void add_eval_gsm8k(CLI::App& eval, Outcome& outcome) {
  CLI::App* command = eval.add_subcommand("gsm8k", "Word problems, answered freely (Pass@1)");
  command->footer(kExamples);
  auto options = std::make_shared<Options>();
  options->items = 100;
  add_subject_flags(*command, *options);
  command->add_option("-f,--file", options->file, "JSON lines of {\"question\", \"answer\"}")
      ->required();
  command->add_option("--shots", options->gsm8k.shots, "Worked examples before each question")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command->add_option("--examples", options->examples, "Where they come from");
  command->add_option("-n,--max-tokens", options->gsm8k.max_tokens, "Of an answer")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command->add_option("--strata", options->gsm8k.strata, "Classes of length in the sample")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_flag("--plain", options->plain, "No chat template, even if there is one");
  add_sample_flags(*command, *options, "Ask N problems, drawn by --seed");
  add_output_flags(*command, *options);
  command->callback([options, &outcome] { outcome.status = eval_gsm8k(*options); });
}

}  // namespace edgelm::apps
