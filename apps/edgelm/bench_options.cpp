// The flags of edgelm bench.

#include "apps/edgelm/bench_options.h"

#include <fmt/format.h>

#include "apps/edgelm/models.h"
#include "apps/edgelm/numbers.h"

namespace edgelm::apps {
namespace {

constexpr int kManyTokens = 1 << 20;

// Said before the first cell, not by each of them.
CLI::Validator command_for_modes() {
  const auto check = [](const std::string& text) {
    if (text.find("{mode}") != std::string::npos) return std::string();
    return fmt::format("'{}' has no {{mode}} in it, the place of the mode's name", text);
  };
  return {check, "", "command_for_modes"};
}

void add_what(CLI::App& command, BenchOptions& options) {
  command.add_option("models,-m,--model", options.models, kModelHelp);
  command
      .add_option("--types", options.types,
                  "Tensor types: for models named synth:SHAPE, and for {type} in a file's name")
      ->delimiter(',');
  command.add_option("-p,--prompts", options.prompts, "Prompt lengths to prefill; 0: none")
      ->delimiter(',')
      ->check(CLI::Range(0, kManyTokens))
      ->capture_default_str();
  command.add_option("-n,--predict", options.decodes, "Tokens to decode; 0: none")
      ->delimiter(',')
      ->check(CLI::Range(0, kManyTokens))
      ->capture_default_str();
  command.add_option("-t,--threads", options.threads, "Thread counts (default: all cores)")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  command.add_option("-b,--batch", options.batches, "Tokens per prefill step")
      ->delimiter(',')
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  command.add_option("-d,--depths", options.depths, "Positions in the cache before each test")
      ->delimiter(',')
      ->check(CLI::Range(0, kManyTokens))
      ->capture_default_str();
  command
      .add_option("-s,--sequences", options.sequences,
                  "Sequences decoded together; tokens/s counts those of all")
      ->delimiter(',')
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_option("--kv-type", options.kv_types, kKvTypeHelp)
      ->delimiter(',')
      ->check(CLI::IsMember({"f16", "q8_0"}))
      ->capture_default_str();
  command
      .add_option(
          "--power-modes", options.power_modes,
          "Power modes to measure in: of nvpmodel, or cpufreq governors; set back at the end")
      ->delimiter(',');
  command
      .add_option("--power-mode-command", options.power_mode_command,
                  "What sets them instead: a command with {mode} in it")
      ->check(command_for_modes());
  command.add_option("--power-mode-after", options.power_mode_after,
                     "The mode that this command is given at the end");
  command
      .add_option("--endpoint", options.endpoint,
                  "Measure an OpenAI-compatible server on this device instead: its URL; --model "
                  "then names one of its models")
      ->check(not_empty());
  command.add_option("--api-key-env", options.api_key_env,
                     "The environment variable that holds the server's API key");
  command.add_option("--isa", options.cpu.isa,
                     "Force the kernels of one instruction set: scalar, avx2, avxvnni, avx512, "
                     "neon, dotprod, i8mm");
  add_packing_flags(command, options.cpu);
}

void add_protocol(CLI::App& command, BenchOptions& options) {
  command
      .add_option("-r,--repetitions", options.pace.max_repetitions,
                  "Most counted repetitions of a phase; fewer when the median is known to 2 %, or "
                  "time is up")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      .add_option("--budget", options.pace.budget_s,
                  "Seconds for the repetitions of one phase; three are made in any case")
      ->check(real_number(0, 1e6))
      ->capture_default_str();
  command
      .add_option("--power", options.power,
                  "Power sensor: auto, none, one of `edgelm device`, shelly:HOST, tasmota:HOST, "
                  "file:PATH, command:PROGRAM")
      ->capture_default_str();
  command
      .add_option("--idle", options.pace.idle_s,
                  "Seconds of each idle window, before and after, where there is a sensor; 0: none")
      ->check(real_number(0, 3600))
      ->capture_default_str();
  command.add_flag("!--no-cold", options.cold_load,
                   "Do not empty the page cache for a cold load of each model");
  command.add_flag("!--no-probe", options.probe,
                   "Do not probe the memory's read bandwidth before each repetition");
  command.add_flag("--force", options.force, "Try what will not fit by the plan");
  command
      .add_option(
          "--timeout", options.timeout_s,
          "Seconds after which a cell is given up; 0: never. A server that sends no text for "
          "so long, or for 120 s, has failed")
      ->check(real_number(0, 1e7))
      ->capture_default_str();
  command.add_option("--seed", options.seed, "Of the order of the cells; 0: another every time")
      ->check(whole_number(std::numeric_limits<std::uint64_t>::max()));
}

void add_keeping(CLI::App& command, BenchOptions& options) {
  command.add_flag("!--no-store", options.keep, "Keep no records");
  command.add_option("--store", options.store,
                     "File of the records (default: $EDGELM_STORE, or records.sqlite in the user's "
                     "data folder)");
  command.add_option("--label", options.label, "A name for this run, for `edgelm compare`");
  command.add_flag("--new,!--resume", options.start_over,
                   "Start over, though an unfinished run of the same sweep is there");
  command.add_option("-o,--output", options.output, "md, csv, json or jsonl")
      ->check(CLI::IsMember({"md", "csv", "json", "jsonl"}))
      ->capture_default_str();
}

}  // namespace

void add_bench_options(CLI::App& command, BenchOptions& options) {
  add_what(command, options);
  add_protocol(command, options);
  add_keeping(command, options);
}

}  // namespace edgelm::apps
