// edgelm bench: every model x thread count x test, one record each.

#include <fmt/format.h>

#include "apps/edgelm/bench_output.h"
#include "apps/edgelm/commands.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/progress.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "plan/cost.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "Each repetition is preceded by a probe of the memory's read bandwidth with the same threads.\n"
    "Examples:\n"
    "  edgelm bench\n"
    "  edgelm bench model.gguf -p 128,512 -n 32,128 -t 1,2 -r 5\n"
    "  edgelm bench synth:qwen2.5-0.5b:Q4_0 synth:tinyllama-1.1b:Q4_K_M\n"
    "  edgelm bench model.gguf -p 0 -n 32 -d 0,4096 --kv-type f16,q8_0\n"
    "  edgelm bench model.gguf -p 0 -n 32 -s 1,2,4,8\n"
    "  edgelm bench builtin tiny -p 0 -n 64 -o jsonl >> results.jsonl\n";

struct BenchOptions {
  std::vector<std::string> models;
  std::vector<std::uint32_t> prompts = {128, 512};
  std::vector<std::uint32_t> decodes = {32, 128};
  std::vector<std::uint32_t> threads;
  std::vector<std::uint32_t> batches = {256};
  std::vector<std::uint32_t> depths = {0};
  std::vector<std::uint32_t> sequences = {1};
  std::vector<std::string> kv_types = {"f16"};
  std::uint32_t repetitions = 5;
  std::string output = "md";
  backend::CpuOptions cpu;  // but for the threads
};

std::vector<measure::BenchTest> tests_of(const BenchOptions& options) {
  std::vector<measure::BenchTest> tests;
  for (const std::string& name : options.kv_types) {
    const plan::KvType kv = plan::parse_kv_type(name).value_or(plan::KvType::kF16);  // checked
    for (const std::uint32_t depth : options.depths) {
      for (const std::uint32_t batch : options.batches)
        for (const std::uint32_t n : options.prompts)
          if (n > 0)
            tests.push_back(
                {.prefill = true, .n_tokens = n, .batch = batch, .depth = depth, .kv_type = kv});
      for (const std::uint32_t sequences : options.sequences)
        for (const std::uint32_t n : options.decodes)
          if (n > 0)
            tests.push_back({.prefill = false,
                             .n_tokens = n,
                             .depth = depth,
                             .n_sequences = sequences,
                             .kv_type = kv});
    }
  }
  return tests;
}

Status print_record(const BenchOptions& options, const BenchRecord& record) {
  if (options.output == "csv") return write_result(csv_line(record) + "\n");
  if (options.output == "jsonl") return write_result(api::dump(to_json(record), -1) + "\n");
  return {};
}

// Packs the weights, or maps them from the cache, as the first use of the model would.
Status prepare(const model::Model& model, backend::CpuBackend& backend) {
  const plan::Limits smallest{.context_tokens = 1, .batch_tokens = 1, .logit_rows = 1};
  EDGELM_TRY(backend.compile(model.plan(), smallest));
  return {};
}

Status bench(const BenchOptions& options) {
  const std::vector<measure::BenchTest> tests = tests_of(options);
  if (tests.empty()) return fail(ErrorCode::kUsage, "nothing to measure: -p and -n are both 0");
  if (options.output == "csv") EDGELM_TRY(write_result(csv_header() + "\n"));
  std::vector<BenchRecord> records;
  Progress progress;
  std::uint64_t done = 0;
  const std::uint64_t runs =
      options.models.size() * options.threads.size() * tests.size() * (options.repetitions + 1);
  for (const std::string& name : options.models) {
    EDGELM_TRY_ASSIGN(const ModelSource source, ModelSource::find(name));
    for (const std::uint32_t threads : options.threads) {
      backend::CpuOptions cpu = options.cpu;
      cpu.decode_threads = threads;
      cpu.prefill_threads = threads;
      EDGELM_TRY_ASSIGN(const auto backend, backend::CpuBackend::create(cpu));
      const std::int64_t start = os::now_ns();
      EDGELM_TRY_ASSIGN(const auto model, source.load());
      EDGELM_TRY(prepare(*model, *backend));
      const double load_ms = os::ns_to_ms(os::now_ns() - start);
      if (backend->packed_weights() != nullptr) backend->packed_weights()->wait_until_stored();
      EDGELM_TRY_ASSIGN(auto probe,
                        measure::BandwidthProbe::create(backend->kernels(), backend->pool()));
      for (const measure::BenchTest& test : tests) {
        const std::string note = fmt::format("{} {} {} threads", name, test.name(), threads);
        EDGELM_TRY_ASSIGN(auto result, measure::bench(model, *backend, probe, test,
                                                      options.repetitions, [&](std::uint32_t) {
                                                        progress.update(done++, runs, note);
                                                      }));
        records.push_back(
            {model->file().path(), model->main_type(), plan::parameters(model->plan()), load_ms,
             std::string(backend->kernels().name), probe.buffer_bytes(), std::move(result)});
        EDGELM_TRY(print_record(options, records.back()));
      }
    }
  }
  if (options.output == "md") {
    return write_result(fmt::format("{} · {} cores · edgelm {} {} · median of {}\n\n{}",
                                    os::cpu_name(), os::usable_cores(), EDGELM_VERSION,
                                    records.front().isa, options.repetitions, markdown(records)));
  }
  if (options.output == "json") {
    api::Json all = api::Json::array();
    for (const BenchRecord& record : records) all.push_back(to_json(record));
    return write_result(api::dump(all) + "\n");
  }
  return {};
}

}  // namespace

void add_bench(CLI::App& app, Outcome& outcome) {
  CLI::App* command =
      app.add_subcommand("bench", "Measure prefill and decode speed on this device");
  command->footer(kExamples);
  auto options = std::make_shared<BenchOptions>();
  command->add_option("models,-m,--model", options->models, kModelHelp);
  command->add_option("-p,--prompts", options->prompts, "Prompt lengths to prefill; 0: none")
      ->delimiter(',')
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command->add_option("-n,--predict", options->decodes, "Tokens to decode; 0: none")
      ->delimiter(',')
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command->add_option("-t,--threads", options->threads, "Thread counts (default: all cores)")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  command->add_option("-b,--batch", options->batches, "Tokens per prefill step")
      ->delimiter(',')
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  command->add_option("-d,--depths", options->depths, "Positions in the cache before each test")
      ->delimiter(',')
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  command
      ->add_option("-s,--sequences", options->sequences,
                   "Sequences decoded together; tokens/s counts those of all")
      ->delimiter(',')
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--kv-type", options->kv_types, kKvTypeHelp)
      ->delimiter(',')
      ->check(CLI::IsMember({"f16", "q8_0"}))
      ->capture_default_str();
  command->add_option("-r,--repetitions", options->repetitions, "Counted repetitions per test")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "md, csv, json or jsonl")
      ->check(CLI::IsMember({"md", "csv", "json", "jsonl"}))
      ->capture_default_str();
  command->add_option("--isa", options->cpu.isa,
                      "Force the kernels of one instruction set: scalar, avx2, avxvnni, avx512, "
                      "neon, dotprod, i8mm");
  add_packing_flags(*command, options->cpu);
  command->callback([options, &outcome] {
    if (options->models.empty()) options->models = {"builtin"};
    if (options->threads.empty())
      options->threads = {static_cast<std::uint32_t>(os::usable_cores())};
    outcome.status = bench(*options);
  });
}

}  // namespace edgelm::apps
