// edgelm eval compare: two models on the same items, by paired tests.

#include <fmt/format.h>

#include <cmath>

#include "api/fields.h"
#include "api/json.h"
#include "apps/edgelm/eval.h"
#include "apps/edgelm/output.h"
#include "base/counted.h"
#include "quality/compare.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "A and B are files that `edgelm eval ... -o json` printed, or runs in the store (the id that "
    "an\n"
    "evaluation prints, or its beginning). Differences are B - A.\n\n"
    "Examples:\n"
    "  edgelm eval choice a.gguf -f hellaswag_val_full.txt --tasks 1000 -o json >a.json\n"
    "  edgelm eval choice b.gguf -f hellaswag_val_full.txt --tasks 1000 -o json >b.json\n"
    "  edgelm eval compare a.json b.json\n";

struct Options {
  std::string a, b;
  std::string output = "text";
};

api::Json to_json(const quality::Comparison& one) {
  api::Json json = {{"task", one.task},
                    {"metric", one.metric},
                    {"quantity", one.quantity},
                    {"n", one.n},
                    {"unpaired", one.unpaired},
                    {"a", one.a},
                    {"b", one.b},
                    {"difference", one.difference.mean},
                    {"standard_error", one.difference.standard_error},
                    {"low", one.difference.low},
                    {"high", one.difference.high},
                    {"bootstrap_low", one.bootstrap.low},
                    {"bootstrap_high", one.bootstrap.high},
                    {"p", one.p}};
  if (one.metric == "perplexity") {
    json["perplexity_a"] = api::known(one.perplexity_a);
    json["perplexity_b"] = api::known(one.perplexity_b);
  }
  if (one.shares)
    json["mcnemar"] = {{"only_a", one.mcnemar.only_a},
                       {"only_b", one.mcnemar.only_b},
                       {"exact_p", one.mcnemar.exact_p},
                       {"mid_p", one.mcnemar.mid_p}};
  return json;
}

std::string to_text(const quality::Comparison& one) {
  const double unit = one.shares ? 100 : 1;
  const char* sign = one.shares ? " %" : "";
  const auto perplexity = [](const Known<double>& value) {
    return value ? fmt::format("{:.4g}", *value) : fmt::format("n/a: {}", value.error().reason);
  };
  std::string text = one.task == one.metric ? one.task : fmt::format("{} {}", one.task, one.metric);
  text += ": ";
  if (one.quantity != one.metric) {
    if (one.metric == "perplexity")
      text +=
          fmt::format("A {}, B {}; ", perplexity(one.perplexity_a), perplexity(one.perplexity_b));
    text += one.quantity + " ";
  }
  // One item tells no interval.
  const std::string interval =
      std::isfinite(one.difference.low) && std::isfinite(one.difference.high)
          ? fmt::format("95 % {:+.4g} to {:+.4g}", unit * one.difference.low,
                        unit * one.difference.high)
          : "interval n/a";
  text += fmt::format("A {:.4g}{}, B {:.4g}{}, difference {:+.4g}{} ({}), p = {:.3g}, {}",
                      unit * one.a, sign, unit * one.b, sign, unit * one.difference.mean, sign,
                      interval, one.p, counted(one.n, "common item"));
  if (one.unpaired > 0) text += fmt::format(", {} unpaired", one.unpaired);
  if (one.shares)
    text +=
        fmt::format("; McNemar: only A right {}, only B right {}, exact p {:.3g}, mid-p {:.3g}",
                    one.mcnemar.only_a, one.mcnemar.only_b, one.mcnemar.exact_p, one.mcnemar.mid_p);
  return text + "\n";
}

Status eval_compare(const Options& options) {
  EDGELM_TRY_ASSIGN(const auto a, load_records(options.a));
  EDGELM_TRY_ASSIGN(const auto b, load_records(options.b));
  EDGELM_TRY_ASSIGN(const auto all, quality::compare_all(a, b));
  api::Json json = api::Json::array();
  std::string text;
  for (const quality::Comparison& one : all) {
    json.push_back(to_json(one));
    text += to_text(one);
  }
  return write_result(options.output == "json" ? api::dump(json) + "\n" : text);
}

}  // namespace

void add_eval_compare(CLI::App& eval, Outcome& outcome) {
  CLI::App* command = eval.add_subcommand("compare", "Two models on the same items");
  command->footer(kExamples);
  auto options = std::make_shared<Options>();
  command->add_option("a", options->a, "Records of the first model")->required();
  command->add_option("b", options->b, "Records of the second")->required();
  command->add_option("-o,--output", options->output, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->callback([options, &outcome] { outcome.status = eval_compare(*options); });
}

}  // namespace edgelm::apps
