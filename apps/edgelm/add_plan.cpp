// edgelm plan: will it fit, how fast, how many joules, what cost - before downloading anything.

#include <fmt/format.h>

#include <memory>

#include "apps/edgelm/commands.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/numbers.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/plan_candidates.h"
#include "apps/edgelm/plan_device.h"
#include "apps/edgelm/plan_models.h"
#include "base/counted.h"
#include "predict/constants.h"
#include "predict/fit.h"
#include "predict/passports.h"
#include "predict/validate.h"

namespace edgelm::apps {
namespace {

constexpr const char* kExamples =
    "Without --device the plan is for this device and this engine; its speeds are measured once, "
    "in "
    "a few seconds.\n"
    "Examples:\n"
    "  edgelm plan builtin synth:llama3.2-1b:Q4_K_M\n"
    "  edgelm plan llama3.2-1b:Q4_K_M qwen2.5-1.5b:Q4_0 --device pi5-8gb\n"
    "  edgelm plan bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M --device \"Orin Nano\" --power-mode "
    "all\n"
    "  edgelm plan qwen2.5-7b qwen2.5-0.5b --types Q4_K_M,Q8_0 --device pi5-8gb --goal quality\n"
    "  edgelm plan --list-devices\n"
    "  edgelm plan --validate";

struct PlanFlags {
  PlanRequest request;
  std::string device;
  std::string sysroot;
  std::vector<std::string> types;
  std::string goal;
  std::string output = "text";
  bool list_devices = false;
  bool validate = false;
  bool fit = false;
};

std::string device_list() {
  std::string text = "| device | memory GB | engines (stated by others) |\n|---|---:|---|\n";
  for (const device::Passport& passport : predict::shipped_passports()) {
    const predict::Device device = predict::device_of(passport);
    std::string engines;
    for (const predict::Profile& profile : device.profiles) {
      engines += engines.empty() ? "" : ", ";
      engines += profile.engine;
      if (!profile.power_mode.empty()) engines += " @ " + profile.power_mode;
    }
    text += fmt::format("| {} | {:.1f} | {} |\n", passport.name,
                        static_cast<double>(passport.memory.total_bytes.value_or(0)) / 1e9,
                        engines.empty() ? "none: memory alone is known" : engines);
  }
  return text;
}

Status print_fit() {
  std::vector<predict::Profile> profiles;
  for (const predict::FitResult& fit : predict::fit_all(predict::reference_rows()))
    profiles.push_back(fit.profile);
  return write_result(predict::constants_csv(profiles));
}

Status plan(PlanFlags& flags) {
  if (flags.list_devices) return write_result(device_list());
  if (flags.fit) return print_fit();
  if (flags.validate) {
    EDGELM_TRY_ASSIGN(const predict::Validation validation,
                      predict::validate(predict::reference_rows()));
    return write_result(predict::validation_text(validation));
  }
  if (flags.request.models.empty())
    return fail(ErrorCode::kUsage, "no model is named; see edgelm plan --help");
  flags.request.models = with_types(flags.request.models, flags.types);
  if (!flags.goal.empty()) {
    EDGELM_TRY_ASSIGN(flags.request.goal, predict::parse_goal(flags.goal));
  }
  econ::Prices own;
  if (!flags.request.prices_file.empty()) {
    EDGELM_TRY_ASSIGN(own, econ::load_prices(flags.request.prices_file));
  }
  const econ::Prices& prices = flags.request.prices_file.empty() ? econ::default_prices() : own;
  EDGELM_TRY_ASSIGN(predict::Device device, plan_device(flags.device, flags.sysroot));
  // Everything that a user may have named wrong, before this device is measured.
  const bool here = flags.device.empty() && flags.sysroot.empty();
  if (here) {
    predict::Profile to_be_measured;
    to_be_measured.engine = "edgelm";
    device.profiles.insert(device.profiles.begin(), std::move(to_be_measured));
  }
  EDGELM_TRY_ASSIGN(const std::vector<const predict::Profile*> profiles,
                    choose_profiles(device, flags.request));
  const std::string engine = profiles.front()->engine;
  EDGELM_TRY(predict::check_request(flags.request.request, device.passport, engine));
  EDGELM_TRY_ASSIGN(const PlanModels models, describe_models(flags.request));
  if (here && engine == "edgelm") {
    EDGELM_TRY_ASSIGN(device, with_speeds(std::move(device.passport)));
  }
  EDGELM_TRY_ASSIGN(const Plan result, make_plan(device, flags.request, models, prices));
  for (const PlanFailure& failure : result.failures) warn(failure.message);
  const std::string text = flags.output == "json"  ? plan_json(result)
                           : flags.output == "csv" ? plan_csv(result)
                                                   : plan_text(result);
  EDGELM_TRY(write_result(text));
  if (!result.failures.empty())
    return fail(ErrorCode::kUnsupported, "{} of {} could not be planned", result.failures.size(),
                counted(flags.request.models.size(), "model"));
  return {};
}

}  // namespace

void add_plan(CLI::App& app, Outcome& outcome) {
  CLI::App* command = app.add_subcommand(
      "plan", "Predict memory, speed, energy and cost of models before downloading them");
  command->footer(kExamples);
  auto flags = std::make_shared<PlanFlags>();
  predict::Request& request = flags->request.request;
  command->add_option("models,-m,--model", flags->request.models,
                      "GGUF files, builtin, tiny, synth:SHAPE:TYPE, SHAPE:TYPE of a published "
                      "shape, OWNER/REPO[@REVISION][:TYPE] on a hub, or URLs");
  command->add_option("--types", flags->types, "Types for models that are named without one")
      ->delimiter(',');
  auto* device =
      command->add_option("--device", flags->device,
                          "A shipped passport by its name, or a file from edgelm device -o json "
                          "(default: this device)");
  command
      ->add_option("--sysroot", flags->sysroot,
                   "Folder with another machine's proc, sys and etc: its memory and processors, "
                   "and what is known of its board's speed by others")
      ->excludes(device);
  command
      ->add_option("-c,--ctx", request.context_tokens,
                   "Context in tokens to plan the memory for, not less than -d + -p + -n (default: "
                   "the model's, at most 4096, or -d + -p + -n when that is more)")
      ->check(whole_number(predict::kMostTokens))
      ->check(CLI::Range(1U, predict::kMostTokens));
  command
      ->add_option("--kv-type", request.kv_type, "How keys and values are cached: f16, q8_0, ...")
      ->capture_default_str();
  command
      ->add_option("-t,--threads", request.threads,
                   "Thread counts, at most what the device has (default: all that are known)")
      ->delimiter(',')
      ->check(whole_number(1024))
      ->check(CLI::Range(1, 1024));
  command->add_option("-p,--prompt", request.prompt_tokens, "Tokens of the prompt")
      ->check(whole_number(predict::kMostTokens))
      ->capture_default_str();
  command->add_option("-n,--predict", request.decode_tokens, "Tokens of the answer")
      ->check(whole_number(predict::kMostTokens))
      ->check(CLI::Range(1U, predict::kMostTokens))
      ->capture_default_str();
  command
      ->add_option("-d,--depth", request.depth_tokens, "Positions in the cache before the prompt")
      ->check(whole_number(predict::kMostTokens));
  command->add_option("--engine", flags->request.engine,
                      "edgelm, llama.cpp, \"llama.cpp 2024\", Ollama, MLC: what is known for the "
                      "device (default: the first)");
  command
      ->add_option("--power-mode", flags->request.power_modes,
                   "Power modes of the device, or all (default: the current one; with --goal all)")
      ->delimiter(',');
  command
      ->add_option("--goal", flags->goal,
                   "Recommend a model, threads and power mode for speed, energy, cost or quality; "
                   "those that are as good are told apart by S_t, J/token over tokens/s")
      ->check(CLI::IsMember({"speed", "energy", "cost", "quality"}));
  command->add_option("--quality", flags->request.quality_file,
                      "Quality records, one JSON per line (default: published losses by size and "
                      "type)");
  command->add_option("--prices", flags->request.prices_file, "Price list in TOML");
  command->add_option("-o,--output", flags->output, "text, csv or json")
      ->check(CLI::IsMember({"text", "csv", "json"}))
      ->capture_default_str();
  command->add_flag("--list-devices", flags->list_devices, "Name the shipped passports and exit");
  command->add_flag(
      "--validate", flags->validate,
      "Fit to the reference data with each model held out, print the errors and exit");
  command->add_flag("--fit", flags->fit,
                    "Fit to the reference data, print data/reference/constants.csv and exit");
  command->callback([flags, &outcome] { outcome.status = plan(*flags); });
}

}  // namespace edgelm::apps
