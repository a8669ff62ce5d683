// edgelm run: flags.

#include <limits>
#include <random>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/numbers.h"
#include "apps/edgelm/run.h"
#include "os/file.h"

namespace edgelm::apps {
namespace {

constexpr std::uint64_t kMaxCount = 0xffffffff;
constexpr const char* kExamples =
    "Examples:\n"
    "  edgelm run -p 'It was a dark and stormy night' -n 100\n"
    "  edgelm run model.gguf -f question.txt --temp 0 -o json --logprobs 5\n"
    "  echo 'Once upon a time' | edgelm run tiny --raw --stop '.'\n"
    "  edgelm run model.gguf               on a terminal: a chat\n";

void add_sampling_flags(CLI::App& app, text::SamplingParams& sampling) {
  const char* group = "Sampling";
  app.add_option("--temp", sampling.temperature, "Temperature; 0 is greedy")
      ->check(real_number())
      ->capture_default_str()
      ->group(group);
  app.add_option("--top-k", sampling.top_k, "Keep the K most likely tokens; 0: all")
      ->check(whole_number(kMaxCount))
      ->capture_default_str()
      ->group(group);
  app.add_option("--top-p", sampling.top_p, "Keep the smallest set with this much probability")
      ->check(real_number())
      ->capture_default_str()
      ->group(group);
  app.add_option("--min-p", sampling.min_p, "Drop tokens below this share of the best one's")
      ->check(real_number())
      ->capture_default_str()
      ->group(group);
  app.add_option("--repeat-penalty", sampling.repetition_penalty,
                 "Divide logits of seen tokens; 1: off")
      ->check(real_number())
      ->capture_default_str()
      ->group(group);
  app.add_option("--presence-penalty", sampling.presence_penalty, "Subtract once from seen tokens")
      ->check(real_number())
      ->capture_default_str()
      ->group(group);
  app.add_option("--frequency-penalty", sampling.frequency_penalty, "Subtract per occurrence")
      ->check(real_number())
      ->capture_default_str()
      ->group(group);
  app.add_option("--repeat-last-n", sampling.penalty_window,
                 "Tokens the penalties look back on; 0: all")
      ->check(whole_number(kMaxCount))
      ->capture_default_str()
      ->group(group);
}

Status run(RunOptions& options) {
  const bool has_prompt = options.prompt || !options.prompt_file.empty() || options.tokens;
  if (!options.seed_given) {
    std::random_device device;
    options.sampling.seed = device();  // 32 bits: easy to read and to type again
  }
  EDGELM_TRY(text::validate(options.sampling));
  if (options.logprobs && !options.json)
    return fail(ErrorCode::kUsage, "--logprobs are part of the JSON output: add -o json");
  if (!has_prompt && os::stdin_is_terminal() && !options.json) return chat(options);
  return run_once(options);
}

}  // namespace

void add_run(CLI::App& app, Outcome& outcome) {
  CLI::App* command = app.add_subcommand("run", "Answer a prompt; on a terminal without one, chat");
  command->footer(kExamples);
  auto options = std::make_shared<RunOptions>();
  command->add_option("model,-m,--model", options->model, kModelHelp);
  auto* prompt = command->add_option("-p,--prompt", options->prompt, "The prompt");
  auto* file =
      command->add_option("-f,--file", options->prompt_file, "Read the prompt from a file");
  command->add_option("--tokens", options->tokens, "Feed these ids as they are: \"1 403 407\"")
      ->excludes(prompt)
      ->excludes(file);
  prompt->excludes(file);
  command
      ->add_option(
          "-n,--predict", options->max_tokens,
          "Most tokens to generate; -1 (the default): until the end, or the context is full")
      ->check(whole_number(kMaxCount))
      ->transform([](const std::string& text) {  // as the field writes "no limit"
        return text == "-1" ? std::to_string(kMaxCount) : text;
      });
  command
      ->add_option("-c,--ctx", options->context,
                   "Context in tokens (default: the model's, at most 4096)")
      ->check(CLI::Range(1, 1 << 24));
  command->add_option("-b,--batch", options->batch, "Tokens per prefill step")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  add_kv_type_flag(*command, options->kv_type);
  command->add_option("--stop", options->stops, "Stop before this text; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--system", options->system, "System message for the chat template");
  command->add_flag("--raw", options->raw, "Feed the prompt as it is, without the chat template");
  command->add_flag("--ignore-eos", options->ignore_end, "Go on after end-of-text tokens");
  auto* seed = command
                   ->add_option("--seed", options->sampling.seed,
                                "Seed of the draw (default: a new one each time, reported)")
                   ->check(whole_number(std::numeric_limits<std::uint64_t>::max()));
  command
      ->add_option("--logprobs", options->logprobs,
                   "With -o json: log-probabilities of each token and of the K best")
      ->check(CLI::Range(0U, engine::kMaxTopLogprobs));
  auto* format = command->add_option("-o,--output", "text or json")
                     ->check(CLI::IsMember({"text", "json"}))
                     ->default_str("text");
  add_sampling_flags(*command, options->sampling);
  add_cpu_flags(*command, options->cpu);
  command->callback([options, seed, format, &outcome] {
    options->seed_given = seed->count() > 0;
    options->json = format->count() > 0 && format->as<std::string>() == "json";
    outcome.status = run(*options);
  });
}

}  // namespace edgelm::apps
