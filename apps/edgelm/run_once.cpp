// One prompt, one answer: streamed as text, or collected as JSON.

#include <fmt/format.h>

#include <cmath>
#include <csignal>

#include "api/json.h"
#include "apps/edgelm/models.h"
#include "apps/edgelm/output.h"
#include "apps/edgelm/prompt.h"
#include "apps/edgelm/run.h"
#include "base/counted.h"
#include "engine/text_generation.h"
#include "os/clock.h"
#include "os/memory.h"

namespace edgelm::apps {

std::atomic<bool> interrupted = false;

namespace {

struct Answer {
  std::vector<text::TokenId> prompt_ids;
  std::vector<engine::TokenEvent> tokens;  // only for JSON
  std::vector<text::TokenId> ids;
  std::string text;
  engine::Finish finish = engine::Finish::kNone;
  bool stopped = false;  // by a stop string
  double ttft_ms = 0;
  double decode_seconds = 0;  // from the first token to the last

  [[nodiscard]] double prefill_speed() const {
    return ttft_ms > 0 ? static_cast<double>(prompt_ids.size()) / (ttft_ms * 1e-3) : 0;
  }
  // Tokens after the first, over the time they took; not a number below two tokens.
  [[nodiscard]] double decode_speed() const {
    return ids.size() > 1 && decode_seconds > 0
               ? static_cast<double>(ids.size() - 1) / decode_seconds
               : std::nan("");
  }
};

const char* finish_name(const Answer& answer) {
  if (answer.stopped) return "stop";
  switch (answer.finish) {
    case engine::Finish::kEnd:
      return "end";
    case engine::Finish::kLength:
      return "length";
    case engine::Finish::kContext:
      return "context";
    case engine::Finish::kCancelled:
      return "interrupted";
    case engine::Finish::kNone:
      break;
  }
  return "none";
}

Status generate(const RunOptions& options, Runtime& runtime, Answer& answer) {
  engine::Engine& engine = *runtime.engine;
  const text::Tokenizer* tokenizer = runtime.model->tokenizer();
  std::optional<engine::TextGeneration> text;
  if (tokenizer != nullptr) text.emplace(*tokenizer, options.stops);
  engine::Request request;
  request.prompt = answer.prompt_ids;
  request.max_tokens = options.max_tokens;
  request.sampling = options.sampling;
  request.logprobs = options.logprobs.has_value();
  request.top_logprobs = options.logprobs.value_or(0);
  request.ignore_end = options.ignore_end;
  const std::int64_t start = os::now_ns();
  EDGELM_TRY_ASSIGN(const engine::SequenceId sequence, engine.add(std::move(request)));
  std::int64_t first = 0;
  const auto emit = [&](std::string_view piece) -> Status {
    if (!options.json) return write_result(piece);
    answer.text += piece;
    return {};
  };
  const InterruptGuard guard(/*also_terminate=*/false);
  while (!engine.idle()) {
    if (interrupted.exchange(false)) {
      engine.cancel(sequence);
      answer.finish = engine::Finish::kCancelled;
      break;
    }
    EDGELM_TRY(engine.step());
    engine::TokenEvent event;
    while (engine.poll(event)) {
      const std::int64_t now = os::now_ns();
      if (answer.ids.empty()) first = now;
      answer.decode_seconds = os::ns_to_s(now - first);
      answer.ids.push_back(event.id);
      if (options.json) answer.tokens.push_back(event);
      answer.finish = event.finish;
      if (!text) continue;
      if (event.finish != engine::Finish::kEnd) EDGELM_TRY(emit(text->push(event.id)));
      if (text->stopped()) {
        answer.stopped = true;
        engine.cancel(sequence);
      }
    }
  }
  if (options.max_tokens == 0) answer.finish = engine::Finish::kLength;  // no token, no event
  answer.ttft_ms = os::ns_to_ms((first != 0 ? first : os::now_ns()) - start);
  if (text && !text->stopped()) return emit(text->finish());
  return {};
}

api::Json logprob_json(const engine::TokenEvent& event) {
  api::Json top = api::Json::array();
  for (std::uint32_t i = 0; i < event.n_top; ++i)
    top.push_back({{"id", event.top[i].id}, {"logprob", event.top[i].logprob}});
  return {{"id", event.id}, {"logprob", event.chosen.logprob}, {"top", std::move(top)}};
}

Status print_json(const RunOptions& options, const Runtime& runtime, const Answer& answer) {
  api::Json json;
  json["model"] = runtime.model->file().path();
  json["backend"] = runtime.backend->name();
  json["prompt_ids"] = answer.prompt_ids;
  json["generated_ids"] = answer.ids;
  json["text"] = answer.text;
  json["finish_reason"] = finish_name(answer);
  json["seed"] = options.sampling.seed;
  if (options.logprobs) {
    json["logprobs"] = api::Json::array();
    for (const engine::TokenEvent& event : answer.tokens)
      json["logprobs"].push_back(logprob_json(event));
  }
  json["load_ms"] = runtime.load_ms;
  json["ttft_ms"] = answer.ttft_ms;
  json["prefill_tokens_per_second"] = answer.prefill_speed();
  json["decode_tokens_per_second"] = answer.decode_speed();
  json["peak_rss_bytes"] = os::peak_rss_bytes();
  return write_result(api::dump(json) + "\n");
}

void print_stats(const RunOptions& options, const Runtime& runtime, const Answer& answer) {
  const double decode = answer.decode_speed();
  note(
      "load {:.0f} ms · first token {:.0f} ms · prefill {} at {:.1f}/s · decode {} "
      "at {} · peak memory {:.0f} MiB · {} · seed {}\n",
      runtime.load_ms, answer.ttft_ms, counted(answer.prompt_ids.size(), "token"),
      answer.prefill_speed(), counted(answer.ids.size(), "token"),
      std::isnan(decode) ? "n/a" : fmt::format("{:.1f}/s", decode),
      static_cast<double>(os::peak_rss_bytes()) / (1024.0 * 1024.0), runtime.backend->name(),
      options.sampling.seed);
  if (answer.finish == engine::Finish::kContext && !answer.stopped)
    warn(fmt::format("the answer ends because the context of {} tokens is full; -c raises it",
                     runtime.engine->options().context_tokens));
}

void on_interrupt(int /*signal*/) { interrupted.store(true); }

}  // namespace

InterruptGuard::InterruptGuard(bool also_terminate) : also_terminate_(also_terminate) {
  interrupted = false;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one ends the program
  sigaction(SIGINT, &action, nullptr);
  if (also_terminate_) sigaction(SIGTERM, &action, nullptr);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  if (also_terminate_) std::signal(SIGTERM, SIG_DFL);
}

Result<Runtime> start_runtime(const RunOptions& options, std::uint32_t max_sequences) {
  EDGELM_TRY_ASSIGN(const ModelSource source, ModelSource::find(options.model));
  const std::int64_t start = os::now_ns();
  Runtime runtime;
  EDGELM_TRY_ASSIGN(runtime.backend, backend::CpuBackend::create(options.cpu));
  EDGELM_TRY_ASSIGN(runtime.model, source.load());
  engine::EngineOptions engine_options;
  engine_options.context_tokens =
      options.context != 0 ? options.context : default_context(*runtime.model);
  engine_options.max_sequences = max_sequences;
  engine_options.batch_tokens = options.batch;
  engine_options.kv_type = options.kv_type;
  if (engine_options.context_tokens > runtime.model->hparams().context_length)
    warn(fmt::format("a context of {} tokens is beyond the {} that the model's header states",
                     engine_options.context_tokens, runtime.model->hparams().context_length));
  EDGELM_TRY_ASSIGN(runtime.engine,
                    engine::Engine::create(runtime.model, *runtime.backend, engine_options));
  runtime.load_ms = os::ns_to_ms(os::now_ns() - start);
  return runtime;
}

Status run_once(const RunOptions& options) {
  EDGELM_TRY_ASSIGN(Runtime runtime, start_runtime(options, 1));
  if (runtime.model->tokenizer() == nullptr && !options.stops.empty())
    return fail(ErrorCode::kUsage, "--stop needs a vocabulary, and {} has none",
                runtime.model->file().path());
  Answer answer;
  EDGELM_TRY_ASSIGN(answer.prompt_ids, prompt_ids(options, *runtime.model));
  if (!options.json && runtime.model->tokenizer() == nullptr)
    return fail(ErrorCode::kUnsupported, "{} has no vocabulary: ask for ids with -o json",
                runtime.model->file().path());
  EDGELM_TRY(generate(options, runtime, answer));
  if (options.json) return print_json(options, runtime, answer);
  EDGELM_TRY(write_result("\n"));
  print_stats(options, runtime, answer);
  return {};
}

}  // namespace edgelm::apps
