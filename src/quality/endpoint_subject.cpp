// Pairs and prompts, one request each.

#include "quality/endpoint_subject.h"

#include <fmt/format.h>

namespace edgelm::quality {

EndpointSubject::EndpointSubject(std::unique_ptr<endpoint::Endpoint> server)
    : server_(std::move(server)) {
  identity_ = {
      .model = server_->model(),
      .model_hash = "",
      .type = "",
      .engine = fmt::format("{} {}", endpoint::server_kind_name(server_->server()), server_->url()),
      .file_bytes = 0};
}

Status EndpointSubject::can_score() {
  if (can_score_) return *can_score_;
  const auto probe = server_->score("The capital of France is", " Paris");
  if (!probe && probe.error().code != ErrorCode::kUnsupported) return fail(probe.error());
  can_score_ = probe ? Status{}
                     : fail(ErrorCode::kUnsupported,
                            "{} gives no log-probabilities of a prompt, so continuations cannot be "
                            "scored: {}",
                            server_->url(), probe.error().message);
  return *can_score_;
}

Result<std::vector<Likelihood>> EndpointSubject::score(std::span<const Pair> pairs) {
  std::vector<Likelihood> results;
  results.reserve(pairs.size());
  for (const Pair& pair : pairs) {
    // White space at the end of a context belongs to the continuation, as for model files.
    const std::size_t last = pair.context.find_last_not_of(" \t\r\n");
    const std::size_t end = last == std::string::npos ? 0 : last + 1;
    EDGELM_TRY_ASSIGN(
        const endpoint::Continuation got,
        server_->score(pair.context.substr(0, end), pair.context.substr(end) + pair.continuation));
    Likelihood& result = results.emplace_back();
    result.sum_logprob = got.sum_logprob;
    result.n_tokens = got.n_tokens;
    if (got.greedy_known) {
      result.all_greedy = got.all_greedy;
    } else {
      result.all_greedy = not_available("the server does not tell the most likely token");
    }
    result.distinct_logprob = not_available("the server does not tell where texts begin to differ");
  }
  return results;
}

Result<std::vector<Result<Generated>>> EndpointSubject::generate(std::span<const Prompt> prompts,
                                                                 const Generation& options,
                                                                 const Cancelled& cancelled) {
  std::vector<Result<Generated>> results;
  results.reserve(prompts.size());
  for (const Prompt& prompt : prompts) {
    if (cancelled && cancelled()) return fail(ErrorCode::kIo, "interrupted");
    const endpoint::Sampling sampling{.temperature = options.temperature,
                                      .top_p = options.top_p,
                                      .seed = prompt.seed,
                                      .max_tokens = options.max_tokens,
                                      .stop = options.stop,
                                      .cache_prompt = true};
    std::vector<endpoint::Message> messages;
    messages.reserve(prompt.chat.size());
    for (const Turn& turn : prompt.chat) messages.push_back({turn.role, turn.content});
    const auto answer = messages.empty() ? server_->complete(prompt.text, sampling)
                                         : server_->chat(messages, sampling);
    if (!answer) return fail(answer.error());
    Generated& generated = *results.emplace_back(Generated{});
    generated.text = answer->text;
    generated.ended = answer->finish_reason != "length";
    generated.n_tokens = answer->completion_tokens;
  }
  return results;
}

}  // namespace edgelm::quality
