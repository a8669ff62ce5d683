// Composes memory, speed and energy into a prediction, with intervals.

#include "predict/predict.h"

#include <algorithm>
#include <cmath>

#include "predict/memory.h"
#include "predict/paging.h"
#include "predict/speed.h"

namespace edgelm::predict {
namespace {

constexpr std::uint32_t kDefaultContext = 4096;
constexpr std::uint32_t kMostThreads = 1024;

Interval around(double value, double error) {
  return {.value = value, .low = value / (1 + error), .high = value * (1 + error)};
}

// Of a product of two independent figures.
double combined(double a, double b) { return std::sqrt(a * a + b * b); }

Interval inverse(const Interval& i) {
  return {.value = 1 / i.value, .low = 1 / i.high, .high = 1 / i.low};
}

void add_power(const Profile& profile, const StepTime& step, double error, Speed& speed) {
  if (!profile.decode_power) return;
  const double watts = watts_of(*profile.decode_power, step, speed.threads);
  speed.watts = around(watts, profile.watts_error);
  const Interval token = inverse(speed.tokens_per_s);
  speed.joules_per_token = around(watts * token.value, combined(error, profile.watts_error));
}

// With weights from storage: bounds, not a spread of errors.
void page(const Profile& profile, const PagingMemory& memory, const PagingWork& work, StepTime step,
          Speed& speed) {
  speed.term = Term::kStorage;
  speed.tokens_per_s = paging_rate(memory, work);
  if (!profile.decode_power) return;
  step.seconds = work.tokens / speed.tokens_per_s.value;  // mostly waiting: few watts
  const Interval watts =
      around(watts_of(*profile.decode_power, step, speed.threads), profile.watts_error);
  const Interval token = inverse(speed.tokens_per_s);
  speed.watts = watts;
  speed.joules_per_token = Interval{.value = watts.value * token.value,
                                    .low = watts.low * token.low,
                                    .high = watts.high * token.high};
}

// At most 3 x kMostTokens.
std::uint32_t tokens_of(const Request& request) {
  return request.depth_tokens + request.prompt_tokens + request.decode_tokens;
}

std::uint32_t context_of(const Model& model, const Request& request, Prediction& out) {
  if (request.context_tokens > 0) return request.context_tokens;
  const std::uint32_t usual =
      model.context_length > 0 ? std::min(model.context_length, kDefaultContext) : kDefaultContext;
  const std::uint32_t needed = tokens_of(request);
  if (needed <= usual) return usual;
  out.notes.push_back(fmt::format(
      "memory is planned for {} tokens of context: {} of depth + {} of prompt + {} of answer",
      needed, request.depth_tokens, request.prompt_tokens, request.decode_tokens));
  return needed;
}

// Where the passport does not tell the processors, the constants tell what was seen.
Status check_threads(const Profile& profile, const device::Passport& passport,
                     const std::vector<std::uint32_t>& threads) {
  const std::vector<std::uint32_t> known = profile.thread_counts();
  if (profile.gpu || passport.cpu.logical_cpus > 0 || known.empty()) return {};
  for (const std::uint32_t count : threads)
    if (count > known.back())
      return fail(ErrorCode::kUsage, "{} threads: {} on {} is known for at most {}", count,
                  profile.engine, passport.name, known.back());
  return {};
}

std::size_t fastest(const std::vector<Speed>& speeds) {
  const auto best = std::max_element(
      speeds.begin(), speeds.end(),
      [](const Speed& a, const Speed& b) { return a.tokens_per_s.value < b.tokens_per_s.value; });
  return static_cast<std::size_t>(best - speeds.begin());
}

void add_load(const Model& model, const Device& device, const Profile& profile, Prediction& out) {
  if (out.memory.fit == Fit::kNo) {
    out.load_cold_s = out.load_warm_s = not_available("it does not fit");
    return;
  }
  double repack_s = 0;
  if (profile.repack_bytes_per_s > 0) {
    repack_s = static_cast<double>(model.weight_bytes()) / profile.repack_bytes_per_s;
    out.load_warm_s = around(repack_s, 0.5);
  } else {
    out.load_warm_s = not_available("how fast this engine repacks weights is not known");
  }
  if (out.memory.fit == Fit::kPaging)
    out.load_warm_s = not_available("the file does not stay in memory");
  const Known<double>& storage = device.passport.speeds.storage_bytes_per_s;
  if (!storage || *storage <= 0) return;
  const double read_s = static_cast<double>(model.file_bytes) / *storage;
  out.load_cold_s = around(read_s + repack_s, 0.3);
}

}  // namespace

std::string_view term_name(Term term) {
  switch (term) {
    case Term::kMemory:
      return "memory";
    case Term::kBandwidth:
      return "bandwidth";
    case Term::kArithmetic:
      return "arithmetic";
    case Term::kDequantization:
      return "dequantization";
    case Term::kStorage:
      return "storage";
    case Term::kOverhead:
      return "per-token overhead";
  }
  return "unknown";
}

std::string_view fit_name(Fit fit) {
  switch (fit) {
    case Fit::kFits:
      return "fits";
    case Fit::kPaging:
      return "paging";
    case Fit::kNo:
      return "no";
  }
  return "unknown";
}

Status check_request(const Request& request, const device::Passport& passport,
                     std::string_view engine) {
  for (const std::uint32_t n :
       {request.prompt_tokens, request.decode_tokens, request.context_tokens, request.depth_tokens})
    if (n > kMostTokens)
      return fail(ErrorCode::kUsage, "{} tokens are more than {}", n, kMostTokens);
  if (request.context_tokens > 0 && request.context_tokens < tokens_of(request))
    return fail(ErrorCode::kUsage,
                "a context of {} tokens does not hold {} of depth + {} of prompt + {} of answer: "
                "name {} or more, or none",
                request.context_tokens, request.depth_tokens, request.prompt_tokens,
                request.decode_tokens, tokens_of(request));
  EDGELM_TRY(kv_element_bytes(request.kv_type));
  if (engine == "edgelm" && request.kv_type != "f16" && request.kv_type != "q8_0")
    return fail(ErrorCode::kUsage, "edgelm caches keys and values as f16 or q8_0, not {}",
                request.kv_type);
  const std::uint32_t cpus = passport.cpu.logical_cpus;
  for (const std::uint32_t threads : request.threads) {
    if (threads == 0 || threads > kMostThreads)
      return fail(ErrorCode::kUsage, "{} threads, expected 1 to {}", threads,
                  cpus > 0 ? cpus : kMostThreads);
    if (cpus > 0 && threads > cpus)
      return fail(ErrorCode::kUsage, "{} threads: {} has {}", threads, passport.name, cpus);
  }
  return {};
}

Result<Prediction> predict(const Model& model, const Device& device, const Profile& profile,
                           const Request& request) {
  if (model.weights.empty())
    return fail(ErrorCode::kFormat, "{}: nothing is known of its weights", model.name);
  EDGELM_TRY(check_request(request, device.passport, profile.engine));
  EDGELM_TRY(check_threads(profile, device.passport, request.threads));
  EDGELM_TRY_ASSIGN(const double kv_bytes, kv_element_bytes(request.kv_type));
  Prediction out;
  out.model = model.name;
  out.type = model.type;
  out.device = device.passport.name;
  out.engine = profile.engine;
  out.version = profile.version;
  out.power_mode = profile.power_mode;
  out.basis = profile.basis_rows == 0
                  ? profile.basis
                  : fmt::format(
                        "constants fitted to {} public measurements of {}; intervals hold "
                        "90 % of held-out errors",
                        profile.basis_rows, profile.basis);
  out.kv_type = request.kv_type;
  out.bytes_per_token = model.bytes_per_token();
  out.watts_scope = profile.watts_scope;
  out.notes = model.notes;
  out.context_tokens = context_of(model, request, out);
  if (model.context_length > 0 && out.context_tokens > model.context_length)
    out.notes.push_back(fmt::format("the model was made for {} tokens of context, not {}",
                                    model.context_length, out.context_tokens));
  out.memory =
      predict_memory(model, profile, usable_memory(device.passport), out.context_tokens, kv_bytes);

  std::vector<std::uint32_t> threads = request.threads;
  if (profile.gpu && !threads.empty())
    out.notes.emplace_back("it runs on the GPU, where the number of threads does not matter");
  if (threads.empty() || profile.gpu) threads = profile.thread_counts();
  if (threads.empty())
    return fail(ErrorCode::kUnsupported, "{} on {}: no speeds are known", profile.engine,
                profile.device);
  const bool paging = out.memory.fit == Fit::kPaging;
  const PagingMemory from_storage = paging_memory(model, device.passport, out.memory);
  if (paging) out.notes.push_back(from_storage.note);
  if (near_the_border(out.memory))
    out.notes.emplace_back("it fits by less than 0.1 GB: what else runs decides whether it pages");
  const double positions =
      request.depth_tokens + request.prompt_tokens + request.decode_tokens / 2.0;
  const double n_prompt = request.prompt_tokens;
  out.prefill.reserve(threads.size());
  out.decode.reserve(threads.size());
  std::string no_prefill = request.prompt_tokens == 0 ? "no prompt" : "";
  for (const std::uint32_t count : threads) {
    EDGELM_TRY_ASSIGN(const StepTime token,
                      decode_time(profile, model, count, positions, kv_bytes));
    Speed decode{.threads = count,
                 .tokens_per_s = around(1 / token.seconds, profile.decode_error),
                 .term = token.term};
    if (out.memory.fit == Fit::kNo) decode.term = Term::kMemory;
    if (paging)
      page(profile, from_storage, {.seconds = token.seconds}, token, decode);
    else
      add_power(profile, token, profile.decode_error, decode);
    out.decode.push_back(std::move(decode));

    if (!no_prefill.empty()) continue;
    const auto prompt = prefill_time(profile, model, count, n_prompt, request.depth_tokens);
    if (!prompt) {
      no_prefill = "prefill of this engine on this device is not in the reference data";
      continue;
    }
    Speed prefill{.threads = count,
                  .tokens_per_s = around(n_prompt / prompt->seconds, profile.prefill_error),
                  .term = prompt->term};
    if (out.memory.fit == Fit::kNo) prefill.term = Term::kMemory;
    if (paging)
      page(profile, from_storage,
           {.tokens = n_prompt,
            .passes = std::ceil(n_prompt / std::max(1U, profile.batch_tokens)),
            .seconds = prompt->seconds},
           *prompt, prefill);
    else
      add_power(profile, *prompt, profile.prefill_error, prefill);
    out.prefill.push_back(std::move(prefill));
  }
  out.best_decode = fastest(out.decode);
  if (!no_prefill.empty()) out.prefill.clear();
  out.ttft_by_threads.resize(out.decode.size(), not_available(no_prefill));
  out.ttft_s = not_available(no_prefill);
  if (no_prefill.empty()) {
    for (std::size_t i = 0; i < out.prefill.size(); ++i) {
      const Interval token = inverse(out.prefill[i].tokens_per_s);
      out.ttft_by_threads[i] =
          Interval{token.value * n_prompt, token.low * n_prompt, token.high * n_prompt};
    }
  }
  if (!out.prefill.empty()) {
    out.best_prefill = fastest(out.prefill);
    out.ttft_s = out.ttft_by_threads[out.best_prefill];
  }
  if (out.memory.fit == Fit::kNo)
    out.notes.emplace_back("it does not fit: speeds are what it would reach if it did");
  add_load(model, device, profile, out);
  return out;
}

}  // namespace edgelm::predict
