// edgelm bench: every model x type x thread count x test, one record each.

#include "apps/edgelm/bench_options.h"
#include "apps/edgelm/bench_sweep.h"
#include "apps/edgelm/commands.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "Each cell runs in a process of its own: warm-up until the rates settle, then repetitions "
    "until\n"
    "the median is known to 2 %. Each repetition is preceded by a probe of the memory's read\n"
    "bandwidth with the same threads. Records are kept; a sweep that was ended goes on when the "
    "same\n"
    "command is given again. docs/measuring.md says what each figure means.\n"
    "Examples:\n"
    "  edgelm bench\n"
    "  edgelm bench model.gguf -p 128,512 -n 32,128 -t 1,2 -r 5\n"
    "  edgelm bench builtin synth:qwen2.5-0.5b synth:tinyllama-1.1b --types Q4_0,Q8_0 -t 1,2\n"
    "  edgelm bench 'models/qwen-{type}.gguf' --types Q4_0,Q4_K_M --label before\n"
    "  edgelm bench model.gguf -p 0 -n 32 -d 0,4096 --kv-type f16,q8_0\n"
    "  edgelm bench model.gguf -p 0 -n 32 -s 1,2,4,8\n"
    "  edgelm bench --endpoint http://127.0.0.1:11434 --model qwen2.5:0.5b -p 512 -n 64\n"
    "  edgelm bench builtin tiny -p 0 -n 64 -o jsonl >> results.jsonl\n";

}  // namespace

void add_bench(CLI::App& app, Outcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "bench", "Measure load, prefill, first token, decode, memory and energy on this device");
  command->footer(kExamples);
  auto options = std::make_shared<BenchOptions>();
  add_bench_options(*command, *options);
  command->callback([options, &outcome] {
    if (options->models.empty() && options->endpoint.empty()) options->models = {"builtin"};
    outcome.status = run_bench(*options, outcome.exit_code);
  });
}

}  // namespace edgelm::apps
