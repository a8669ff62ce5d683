// Bodies of requests; see request_body.h. Fields: the OpenAI API reference for completions and chat
// completions; `ignore_eos`, `cache_prompt`, `add_special` of llama.cpp's server (tools/server,
// README); `ignore_eos`, `add_special_tokens` of vLLM ("Extra parameters"); Ollama's /api/generate
// and /api/chat (docs/api.md).

#include "endpoint/request_body.h"

#include <array>
#include <utility>

namespace edgelm::endpoint {
namespace {

// What a server may refuse to know without the request losing its meaning.
constexpr std::array kAdditions = {"stream_options", "ignore_eos", "cache_prompt"};

}  // namespace

void RequestBodies::add(api::Json& body, const char* key, api::Json value) const {
  if (!refused_.contains(key)) body[key] = std::move(value);
}

api::Json RequestBodies::common(const Sampling& sampling) const {
  api::Json body = api::Json::object();
  body["model"] = model_;
  body["temperature"] = sampling.temperature;
  body["top_p"] = sampling.top_p;
  body["seed"] = sampling.seed;
  body[max_tokens_key_] = sampling.max_tokens;
  if (!sampling.stop.empty()) body["stop"] = sampling.stop;
  body["stream"] = true;
  add(body, "stream_options", {{"include_usage", true}});
  if (sampling.ignore_eos) add(body, "ignore_eos", true);
  // Others do not have it, and some refuse what they do not know.
  if (server_ == ServerKind::kLlamaCpp || server_ == ServerKind::kEdgelm)
    add(body, "cache_prompt", sampling.cache_prompt);
  if (server_ == ServerKind::kLlamaCpp) {
    body["top_k"] = 0;
    body["min_p"] = 0;
  }
  return body;
}

// What other servers leave alone when not asked, Ollama and llama.cpp preset: the sampling that was
// asked for is all there may be.
api::Json RequestBodies::ollama(const Sampling& sampling) const {
  api::Json options = {{"temperature", sampling.temperature},
                       {"top_p", sampling.top_p},
                       {"seed", sampling.seed},
                       {"num_predict", sampling.max_tokens},
                       {"top_k", 0},
                       {"min_p", 0},
                       {"repeat_penalty", 1}};
  if (!sampling.stop.empty()) options["stop"] = sampling.stop;
  if (context_tokens_ > 0) options["num_ctx"] = context_tokens_;
  api::Json body = {{"model", model_}, {"stream", true}, {"options", std::move(options)}};
  if (sampling.logprobs) body["logprobs"] = true;
  return body;
}

api::Json RequestBodies::complete(const std::string& prompt, const Sampling& sampling) const {
  if (server_ == ServerKind::kOllama) {
    api::Json body = ollama(sampling);
    body["prompt"] = prompt;
    body["raw"] = true;  // without the model's chat template
    return body;
  }
  api::Json body = common(sampling);
  body["prompt"] = prompt;
  if (sampling.logprobs) body["logprobs"] = 1;
  return body;
}

api::Json RequestBodies::chat(const std::vector<Message>& messages,
                              const Sampling& sampling) const {
  const bool native = server_ == ServerKind::kOllama;
  api::Json body = native ? ollama(sampling) : common(sampling);
  api::Json list = api::Json::array();
  for (const Message& message : messages)
    list.push_back({{"role", message.role}, {"content", message.content}});
  body["messages"] = std::move(list);
  if (sampling.logprobs) body["logprobs"] = true;
  return body;
}

api::Json RequestBodies::score(const std::string& text) const {
  // One token, not none: there are servers for which 0 means without limit.
  return {{"model", model_}, {"prompt", text}, {"max_tokens", 1}, {"temperature", 0},
          {"logprobs", 1},   {"echo", true},   {"stream", false}};
}

api::Json RequestBodies::tokenize(const std::string& text) const {
  // llama.cpp reads "content" and "add_special", vLLM "prompt" and "add_special_tokens"; each
  // passes over the other's.
  return {{"model", model_},
          {"content", text},
          {"prompt", text},
          {"add_special", false},
          {"add_special_tokens", false}};
}

bool RequestBodies::learn(const api::Json& body, std::string_view message) {
  for (const char* key : kAdditions) {
    if (body.contains(key) && message.find(key) != std::string_view::npos)
      return refused_.insert(key).second;
  }
  // "Unsupported parameter: 'max_tokens' ... Use 'max_completion_tokens' instead."
  if (body.contains("max_tokens") && !body.contains("echo") && max_tokens_key_ == "max_tokens" &&
      message.find("max_completion_tokens") != std::string_view::npos) {
    max_tokens_key_ = "max_completion_tokens";
    return true;
  }
  return false;
}

Result<std::string> to_text(const api::Json& body) {
  try {
    return body.dump(-1, ' ', false, api::Json::error_handler_t::strict);
  } catch (const api::Json::exception&) {
    return fail(ErrorCode::kUsage,
                "the text to send is not UTF-8: a server would be measured with another text");
  }
}

}  // namespace edgelm::endpoint
