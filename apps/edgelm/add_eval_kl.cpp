// edgelm eval kl: how far a model's predictions are from a base's.

#include <fmt/format.h>

#include <cmath>

#include "api/json.h"
#include "apps/edgelm/eval.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/run.h"
#include "base/counted.h"
#include "os/file.h"
#include "quality/kl.h"
#include "quality/text_file.h"
#include "report/record_json.h"

namespace edgelm::apps {
namespace {

constexpr std::uint64_t kMaxTextBytes = 1ULL << 32;
constexpr const char* kExamples =
    "Side by side both models run, and the divergence is exact. A base file is small (0.4 KB per\n"
    "scored token) and serves many models on small devices; the divergence from it is a lower "
    "bound.\n\n"
    "Examples:\n"
    "  edgelm eval kl model-Q4_K.gguf --base model-F16.gguf -f wiki.test.raw --chunks 50\n"
    "  edgelm eval kl model-F16.gguf --save-base base.kl -f wiki.test.raw --chunks 50\n"
    "  edgelm eval kl model-Q4_K.gguf --base-file base.kl -f wiki.test.raw\n";

struct Options : EvalOptions {
  std::string file, base, save, base_file;
  std::uint32_t top_k = 64;
  quality::KlOptions kl;
};

std::string percentiles(const std::vector<quality::Percentile>& all, double unit) {
  std::string text;
  for (const quality::Percentile& one : all)
    text += fmt::format("{}{} {:.4g}", text.empty() ? "" : ", ",
                        one.share == 1   ? "max"
                        : one.share == 0 ? "min"
                                         : fmt::format("{:g} %", 100 * one.share),
                        unit * one.value);
  return text;
}

std::string to_text(const quality::KlResult& r) {
  const stats::Interval same = stats::wilson(r.same_top, r.tokens);
  const auto count = static_cast<double>(r.tokens);
  return fmt::format(
      "tokens scored          {} in {}\n"
      "mean KL divergence     {:.6f} +/- {:.6f} nats (95 % {:.6f} to {:.6f}){}\n"
      "  percentiles          {}\n"
      "perplexity             {:.4f}, base {:.4f}, difference {:+.4f}\n"
      "ln(PPL / base PPL)     {:+.6f} +/- {:.6f} (paired)\n"
      "same top token         {:.3f} % (95 % {:.3f} to {:.3f})\n"
      "delta p                mean {:+.4f} % +/- {:.4f}, RMS {:.4f} % +/- {:.4f}\n"
      "  percentiles          {}\n",
      r.tokens, counted(r.chunks, "chunk"), r.divergence.mean, r.divergence.standard_error,
      r.divergence_interval.low, r.divergence_interval.high,
      r.lower_bound ? ", a lower bound: the base file keeps its most likely tokens alone" : "",
      percentiles(r.divergence_percentiles, 1), r.perplexity, r.base_perplexity,
      r.perplexity - r.base_perplexity, r.log_ratio.mean, r.log_ratio.standard_error,
      100 * static_cast<double>(r.same_top) / count, 100 * same.low, 100 * same.high,
      100 * r.delta_p.mean, 100 * r.delta_p.standard_error, 100 * r.rms_delta_p, 100 * r.rms_error,
      percentiles(r.delta_p_percentiles, 100));
}

api::Json to_json(const std::vector<quality::Percentile>& all) {
  api::Json json = api::Json::object();
  for (const quality::Percentile& one : all) json[fmt::format("{:g}", 100 * one.share)] = one.value;
  return json;
}

api::Json to_json(const quality::KlResult& r, const std::vector<quality::Record>& records) {
  api::Json json = {{"tokens", r.tokens},
                    {"chunks", r.chunks},
                    {"asked_chunks", r.asked_chunks},
                    {"lower_bound", r.lower_bound},
                    {"mean_kl_divergence", r.divergence.mean},
                    {"mean_kl_divergence_stderr", r.divergence.standard_error},
                    {"kl_divergence_percentiles", to_json(r.divergence_percentiles)},
                    {"perplexity", r.perplexity},
                    {"base_perplexity", r.base_perplexity},
                    {"ln_ppl_ratio", r.log_ratio.mean},
                    {"ln_ppl_ratio_stderr", r.log_ratio.standard_error},
                    {"same_top", r.same_top},
                    {"mean_delta_p", r.delta_p.mean},
                    {"rms_delta_p", r.rms_delta_p},
                    {"delta_p_percentiles", to_json(r.delta_p_percentiles)}};
  api::Json& list = json["records"] = api::Json::array();
  for (const quality::Record& record : records) list.push_back(report::to_json(record));
  return json;
}

Status eval_kl(Options& options) {
  const int given = (options.base.empty() ? 0 : 1) + (options.save.empty() ? 0 : 1) +
                    (options.base_file.empty() ? 0 : 1);
  if (given != 1) return fail(ErrorCode::kUsage, "name one of --base, --base-file and --save-base");
  EDGELM_TRY_ASSIGN(const std::string text, os::read_file(options.file, kMaxTextBytes));
  EDGELM_TRY_ASSIGN(const auto backend, backend::CpuBackend::create(options.cpu));
  EDGELM_TRY_ASSIGN(const auto model, load_model(options.model));
  const InterruptGuard guard(/*also_terminate=*/true);
  std::optional<quality::KlResult> result;
  std::string base_name = options.base_file;
  {
    Progress progress;
    const quality::EvaluationOptions shared = evaluation_options(options, progress);
    options.kl.cancelled = shared.cancelled;
    options.kl.progress = shared.progress;
    if (!options.save.empty()) {
      EDGELM_TRY(
          quality::save_base(model, *backend, text, options.kl, options.top_k, options.save));
      EDGELM_TRY_ASSIGN(const std::uint64_t bytes, os::file_size(options.save));
      note("{}: {} bytes\n", options.save, bytes);
      return {};
    }
    if (!options.base.empty()) {
      EDGELM_TRY_ASSIGN(const auto base, load_model(options.base));
      base_name = base->file().path().substr(base->file().path().rfind('/') + 1);
      EDGELM_TRY_ASSIGN(result, quality::kl_divergence(base, model, *backend, text, options.kl));
    } else {
      EDGELM_TRY_ASSIGN(const auto base, quality::BaseFile::open(options.base_file));
      options.kl.context = base.header().context;
      base_name = base.header().model;
      EDGELM_TRY_ASSIGN(result, quality::kl_divergence(base, model, *backend, text, options.kl));
    }
  }
  EDGELM_TRY_ASSIGN(const auto subject, quality::FileSubject::create(
                                            model, *backend, subject_options(options, *model)));
  const std::string data = fmt::format("{} {}", options.file.substr(options.file.rfind('/') + 1),
                                       quality::short_hash(text));
  std::vector<quality::Record> records =
      quality::kl_records(subject->identity(), base_name, data, options.kl, *result);
  EDGELM_TRY(keep(options, records));
  EDGELM_TRY(write_result(options.output == "json" ? api::dump(to_json(*result, records)) + "\n"
                                                   : to_text(*result)));
  if (result->chunks < result->asked_chunks)
    return fail(ErrorCode::kIo, "interrupted after {} of {}", result->chunks,
                counted(result->asked_chunks, "chunk"));
  return {};
}

}  // namespace

void add_eval_kl(CLI::App& eval, Outcome& outcome) {
  CLI::App* command =
      eval.add_subcommand("kl", "KL divergence and top-token agreement against a base model");
  command->footer(kExamples);
  auto options = std::make_shared<Options>();
  command->add_option("model,-m,--model", options->model, kModelHelp);
  command->add_option("-f,--file", options->file, "The text")->required();
  command->add_option("--base", options->base, "The base model, run side by side");
  command->add_option("--base-file", options->base_file, "What --save-base wrote");
  command->add_option("--save-base", options->save, "Write MODEL's predictions to this file");
  command->add_option("--top-k", options->top_k, "Tokens per position that --save-base keeps")
      ->check(CLI::Range(1, 1 << 16))
      ->capture_default_str();
  command->add_option("-c,--ctx", options->kl.context, "Tokens per chunk")
      ->check(CLI::Range(4, 1 << 20))
      ->capture_default_str();
  command->add_option("--chunks", options->kl.max_chunks, "Score only the first K chunks")
      ->check(CLI::Range(1, 1 << 30));
  command->add_option("-b,--batch", options->kl.batch, "Tokens per step")
      ->check(CLI::Range(1, 8192))
      ->capture_default_str();
  add_kv_type_flag(*command, options->kl.kv_type);
  add_cpu_flags(*command, options->cpu);
  add_output_flags(*command, *options);
  command->callback([options, &outcome] { outcome.status = eval_kl(*options); });
}

}  // namespace edgelm::apps
