// Models x profiles, and quality from records or from publications.

#include "apps/edgelm/plan_candidates.h"

#include <algorithm>

#include "apps/edgelm/plan_models.h"
#include "arch/arch.h"
#include "os/file.h"
#include "predict/quality_prior.h"
#include "report/record_json.h"

namespace edgelm::apps {
namespace {

constexpr std::uint64_t kMaxQualityBytes = 256U << 20U;

Result<QualityTable> read_quality(const std::string& path) {
  EDGELM_TRY_ASSIGN(const std::string text, os::read_file(path, kMaxQualityBytes));
  std::map<std::string, std::map<std::string, double>> by_task;
  std::size_t line = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++line;
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    EDGELM_TRY_ASSIGN(const report::AnyRecord record,
                      report::record_from_text(one, fmt::format("{}:{}", path, line)));
    const auto* quality = std::get_if<quality::Record>(&record);
    if (quality == nullptr || !quality->value) continue;
    const bool lower_is_better = quality->metric.find("perplexity") != std::string::npos ||
                                 quality->metric.find("divergence") != std::string::npos;
    by_task[fmt::format("{} ({})", quality->task, quality->metric)][quality->model] =
        lower_is_better ? -*quality->value : *quality->value;
  }
  QualityTable table;
  for (auto& [task, scores] : by_task)
    if (scores.size() > table.scores.size()) table = {task, std::move(scores)};
  if (table.scores.empty())
    return fail(ErrorCode::kFormat, "{}: no quality records with a value", path);
  return table;
}

// Records name a file without its folder.
std::string file_name(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

void add_quality(const predict::Model& model, const std::optional<QualityTable>& table,
                 predict::Candidate& c) {
  if (table) {
    auto found = table->scores.find(model.name);
    if (found == table->scores.end()) found = table->scores.find(file_name(model.name));
    c.quality_source = "measured: " + table->task;
    if (found != table->scores.end())
      c.quality = found->second;
    else
      c.quality = not_available("no record of it for " + table->task);
    return;
  }
  c.quality_source = std::string(predict::kQualityPriorSource);
  const Known<double> loss = predict::expected_loss(model);
  if (loss)
    c.quality = -*loss;
  else
    c.quality = not_available(loss.error().reason);
}

// Decode and prefill: indices of the thread counts.
econ::Summary economics_of(const predict::Prediction& p, std::size_t decode_at,
                           std::size_t prefill_at, const predict::Request& request,
                           const std::string& device, const econ::Prices& prices) {
  econ::Inputs in;
  in.prompt_tokens = request.prompt_tokens;
  in.output_tokens = request.decode_tokens;
  in.device = device;
  if (p.memory.fit == predict::Fit::kNo) {
    const auto reason = not_available("it does not fit");
    in.ttft_s = in.tokens_per_s = in.decode_joules_per_token = in.prefill_joules_per_token = reason;
    return econ::summarise(in, prices);
  }
  const Known<predict::Interval>& ttft = p.ttft_by_threads[prefill_at];
  if (ttft)
    in.ttft_s = ttft->value;
  else
    in.ttft_s = not_available(ttft.error().reason);
  const predict::Speed& decode = p.decode[decode_at];
  in.tokens_per_s = decode.tokens_per_s.value;
  const auto joules = [](const predict::Speed& speed) -> Known<double> {
    if (speed.joules_per_token) return speed.joules_per_token->value;
    return not_available(speed.joules_per_token.error().reason);
  };
  in.decode_joules_per_token = joules(decode);
  in.prefill_joules_per_token = p.prefill.empty()
                                    ? Known<double>(not_available("no prefill figures"))
                                    : joules(p.prefill[prefill_at]);
  return econ::summarise(in, prices);
}

Status runs_here(const predict::Model& model, const predict::Profile& profile) {
  if (profile.engine != "edgelm" || model.architecture.empty()) return {};
  const auto supported = arch::supported_architectures();
  if (std::find(supported.begin(), supported.end(), model.architecture) != supported.end())
    return {};
  return fail(ErrorCode::kUnsupported,
              "{}: edgelm does not run the architecture '{}'; --engine names others that are known "
              "for the device",
              model.name, model.architecture);
}

std::string known_engines(const predict::Device& device) {
  std::string list;
  for (const predict::Profile& profile : device.profiles) {
    std::string name = profile.engine;
    if (!profile.power_mode.empty()) name += " @ " + profile.power_mode;
    list += (list.empty() ? "" : ", ") + name;
  }
  return list.empty() ? "none" : list;
}

}  // namespace

Result<std::vector<const predict::Profile*>> choose_profiles(const predict::Device& device,
                                                             const PlanRequest& request) {
  if (device.profiles.empty())
    return fail(
        ErrorCode::kNotFound,
        "{} ({}): no speeds are known for it: {}; for a board of edgelm plan --list-devices "
        "there are public ones, and edgelm device -o json on the machine gives its own",
        device.passport.name, device.passport.board.name, device.why_not_here);
  const std::string engine =
      request.engine.empty() ? device.profiles.front().engine : request.engine;
  std::vector<const predict::Profile*> of_engine;
  for (const predict::Profile& profile : device.profiles)
    if (profile.engine == engine) of_engine.push_back(&profile);
  if (of_engine.empty())
    return fail(ErrorCode::kNotFound, "{} on {}: not known ({}); known are {}", engine,
                device.passport.name,
                engine == "edgelm" ? device.why_not_here : "not in the reference data",
                known_engines(device));
  const bool all = std::find(request.power_modes.begin(), request.power_modes.end(), "all") !=
                   request.power_modes.end();
  if (all || (request.power_modes.empty() && request.goal)) return of_engine;
  std::vector<const predict::Profile*> chosen;
  if (request.power_modes.empty()) {
    const Known<std::string>& current = device.passport.power_modes.current;
    for (const predict::Profile* profile : of_engine)
      if (current && profile->power_mode == *current) chosen.push_back(profile);
    // A mode that is on and not known is no reason to speak of another; a governor is no mode.
    if (chosen.empty() && current && !of_engine.front()->power_mode.empty())
      return fail(ErrorCode::kNotFound,
                  "{} on {} in its power mode '{:.32}': not known; name one with --power-mode: {}",
                  engine, device.passport.name, *current, known_engines(device));
    if (chosen.empty()) chosen.push_back(of_engine.front());
    return chosen;
  }
  for (const std::string& mode : request.power_modes) {
    const auto found =
        std::find_if(of_engine.begin(), of_engine.end(),
                     [&](const predict::Profile* p) { return p->power_mode == mode; });
    if (found == of_engine.end())
      return fail(ErrorCode::kNotFound, "{} on {} in power mode '{:.32}': not known; known are {}",
                  engine, device.passport.name, mode, known_engines(device));
    chosen.push_back(*found);
  }
  return chosen;
}

Result<PlanModels> describe_models(const PlanRequest& request) {
  PlanModels described;
  if (!request.quality_file.empty()) {
    EDGELM_TRY_ASSIGN(described.quality, read_quality(request.quality_file));
  }
  described.models.reserve(request.models.size());
  bool any = false;
  for (const std::string& name : request.models) {
    described.models.push_back({name, describe_model(name)});
    any = any || described.models.back().model.has_value();
  }
  if (!any) return fail(described.models.front().model.error());
  return described;
}

Result<Plan> make_plan(const predict::Device& device, const PlanRequest& request,
                       const PlanModels& models, const econ::Prices& prices) {
  EDGELM_TRY_ASSIGN(const std::vector<const predict::Profile*> profiles,
                    choose_profiles(device, request));
  Plan plan;
  plan.device = device.passport.name;
  plan.goal = request.goal;
  plan.prices = &prices;
  plan.depth_tokens = request.request.depth_tokens;
  plan.prompt_tokens = request.request.prompt_tokens;
  plan.decode_tokens = request.request.decode_tokens;
  std::optional<Error> first;
  const auto failed = [&](const std::string& model, Error error) {
    plan.failures.push_back({model, error.message});
    if (!first) first = std::move(error);
  };
  const std::string& priced = device.shipped.empty() ? device.passport.name : device.shipped;
  for (const auto& [name, model] : models.models) {
    if (!model) {
      failed(name, model.error());
      continue;
    }
    for (const predict::Profile* profile : profiles) {
      if (Status runs = runs_here(*model, *profile); !runs) {
        failed(name, std::move(runs).error());
        continue;
      }
      auto prediction = predict::predict(*model, device, *profile, request.request);
      if (!prediction) {
        failed(name, std::move(prediction).error());
        continue;
      }
      predict::Candidate candidate;
      candidate.prediction = std::move(*prediction);
      const predict::Prediction& p = candidate.prediction;
      candidate.economics =
          economics_of(p, p.best_decode, p.best_prefill, request.request, priced, prices);
      candidate.by_threads.reserve(p.decode.size());
      for (std::size_t i = 0; i < p.decode.size(); ++i)
        candidate.by_threads.push_back(economics_of(p, i, i, request.request, priced, prices));
      add_quality(*model, models.quality, candidate);
      plan.candidates.push_back(std::move(candidate));
    }
  }
  if (plan.candidates.empty() && first) return fail(std::move(*first));
  if (request.goal) plan.recommendation = predict::recommend(plan.candidates, *request.goal);
  return plan;
}

}  // namespace edgelm::apps
