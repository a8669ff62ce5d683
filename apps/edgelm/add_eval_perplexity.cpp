// edgelm eval perplexity: quality of a model file on a text.

#include <fmt/format.h>

#include "api/json.h"
#include "apps/edgelm/eval.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/progress.h"
#include "apps/edgelm/run.h"
#include "base/counted.h"
#include "os/file.h"
#include "quality/perplexity.h"
#include "quality/text_file.h"
#include "report/record_json.h"

namespace edgelm::apps {
namespace {

constexpr std::uint64_t kMaxTextBytes = 1ULL << 32;
constexpr const char* kExamples =
    "Examples:\n"
    "  edgelm eval perplexity model.gguf -f wiki.test.raw -c 512 --chunks 50\n"
    "  edgelm eval perplexity tiny -f novel.txt -c 256 -o json\n";

struct PerplexityFlags : EvalOptions {
  std::string file;
  quality::PerplexityOptions perplexity;
};

Status print(const PerplexityFlags& options, const model::Model& model,
             const quality::Perplexity& result, const quality::Record& record) {
  if (options.output == "json") {
    const api::Json json = {{"model", model.file().path()},
                            {"file", options.file},
                            {"context", options.perplexity.context},
                            {"kv_type", plan::kv_type_name(options.perplexity.kv_type)},
                            {"perplexity", result.perplexity},
                            {"stderr", result.standard_error},
                            {"tokens", result.tokens},
                            {"chunks", result.chunks},
                            {"records", api::Json::array({report::to_json(record)})}};
    return write_result(api::dump(json) + "\n");
  }
  return write_result(fmt::format("perplexity {:.4f} +/- {:.4f} over {} in {} of {}\n",
                                  result.perplexity, result.standard_error,
                                  counted(result.tokens, "token"), counted(result.chunks, "chunk"),
                                  options.perplexity.context));
}

Status eval_perplexity(PerplexityFlags& options) {
  EDGELM_TRY_ASSIGN(const auto backend, backend::CpuBackend::create(options.cpu));
  EDGELM_TRY_ASSIGN(const auto model, load_model(options.model));
  EDGELM_TRY_ASSIGN(const std::string text, options.file == "-"
                                                ? os::read_stdin(kMaxTextBytes)
                                                : os::read_file(options.file, kMaxTextBytes));
  if (options.perplexity.context > model->hparams().context_length)
    warn(fmt::format("chunks of {} tokens are beyond the {} that the model's header states",
                     options.perplexity.context, model->hparams().context_length));
  const InterruptGuard guard(/*also_terminate=*/true);
  options.perplexity.cancelled = [] { return interrupted.load(); };
  quality::Perplexity result;
  {
    Progress progress;
    EDGELM_TRY_ASSIGN(result,
                      quality::perplexity(model, *backend, text, options.perplexity,
                                          [&](std::uint32_t done, std::uint32_t all, double value) {
                                            progress.update(
                                                done, all, fmt::format("perplexity {:.4f}", value));
                                          }));
  }
  EDGELM_TRY_ASSIGN(const auto subject, quality::FileSubject::create(
                                            model, *backend, subject_options(options, *model)));
  const std::string data = fmt::format("{} {}", options.file.substr(options.file.rfind('/') + 1),
                                       quality::short_hash(text));
  std::vector<quality::Record> records = {
      quality::perplexity_record(subject->identity(), data, options.perplexity, result)};
  EDGELM_TRY(keep(options, records));
  EDGELM_TRY(print(options, *model, result, records[0]));
  if (result.chunks < result.asked_chunks)
    return fail(ErrorCode::kIo, "interrupted after {} of {}", result.chunks,
                counted(result.asked_chunks, "chunk"));
  return {};
}

}  // namespace

void add_eval_perplexity(CLI::App& eval, Outcome& outcome) {
  CLI::App* command = eval.add_subcommand("perplexity", "Perplexity of a text");
  command->footer(kExamples);
  auto options = std::make_shared<PerplexityFlags>();
  command->add_option("model,-m,--model", options->model, kModelHelp);
  command->add_option("-f,--file", options->file, "The text; - for standard input")->required();
  command->add_option("-c,--ctx", options->perplexity.context, "Tokens per chunk")
      ->check(CLI::Range(4, 1 << 20))
      ->capture_default_str();
  command->add_option("--chunks", options->perplexity.max_chunks, "Score only the first K chunks")
      ->check(CLI::Range(1, 1 << 30));
  command->add_option("-b,--batch", options->perplexity.batch, "Tokens per step")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  add_kv_type_flag(*command, options->perplexity.kv_type);
  add_output_flags(*command, *options);
  add_cpu_flags(*command, options->cpu);
  command->callback([options, &outcome] { outcome.status = eval_perplexity(*options); });
}

}  // namespace edgelm::apps
