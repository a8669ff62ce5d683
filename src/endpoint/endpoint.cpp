// The one Endpoint there is: finds out what answers, asks, asks again where that helps, and turns
// refusals into errors. What is sent is made by request_body.h, what comes is read by
// answer_reader.h and echo_score.h.

#include "endpoint/endpoint.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/json.h"
#include "endpoint/address.h"
#include "endpoint/answer_reader.h"
#include "endpoint/echo_score.h"
#include "endpoint/failure.h"
#include "endpoint/request_body.h"
#include "endpoint/retry.h"
#include "os/clock.h"

namespace edgelm::endpoint {
namespace {

// Whatever a server refuses of our additions, it refuses one at a time.
constexpr int kMaxLessons = 4;

http::Request make_request(const Options& options, std::string url) {
  http::Request request;
  request.url = std::move(url);
  request.first_byte_timeout = options.timeout;
  request.idle_timeout = options.timeout;
  request.cancelled = options.cancelled;
  // An answer that is not streamed has to be whole at some time, however it drips.
  request.total_timeout = 2 * options.timeout;
  if (!options.api_key.empty())
    request.headers.emplace_back("authorization", "Bearer " + options.api_key);
  return request;
}

http::Request post(const Options& options, std::string url, std::string body) {
  http::Request request = make_request(options, std::move(url));
  request.method = "POST";
  request.headers.emplace_back("content-type", "application/json");
  request.body = std::move(body);
  return request;
}

// Ollama lists "llama3.2:latest" and takes "llama3.2"; llama.cpp lists the path of its file.
bool means(std::string_view listed, std::string_view wanted) {
  if (listed == wanted) return true;
  if (listed.size() == wanted.size() + 7 && listed.starts_with(wanted) &&
      listed.ends_with(":latest"))
    return true;
  const std::size_t slash = listed.rfind('/');
  return listed.ends_with(".gguf") && slash != std::string_view::npos &&
         listed.substr(slash + 1) == wanted;
}

class OpenAiEndpoint final : public Endpoint {
 public:
  OpenAiEndpoint(Options options, ServerAddress address)
      : options_(std::move(options)), address_(std::move(address)), bodies_("", kind_, 0) {}

  Status greet();

  [[nodiscard]] const std::string& model() const override { return model_; }
  [[nodiscard]] const std::vector<std::string>& models() const override { return models_; }
  [[nodiscard]] std::string url() const override { return address_.base; }
  [[nodiscard]] ServerKind server() const override { return kind_; }
  [[nodiscard]] const Answer* partial() const override { return partial_ ? &*partial_ : nullptr; }

  Result<Answer> complete(const std::string& prompt, const Sampling& sampling) override {
    return generate(native() ? "/api/generate" : "/completions", sampling,
                    [&] { return bodies_.complete(prompt, sampling); });
  }
  Result<Answer> chat(const std::vector<Message>& messages, const Sampling& sampling) override {
    return generate(native() ? "/api/chat" : "/chat/completions", sampling,
                    [&] { return bodies_.chat(messages, sampling); });
  }
  Result<Continuation> score(const std::string& context, const std::string& continuation) override;
  Known<std::uint32_t> count_tokens(const std::string& text) override;

 private:
  // Sends what `make_body` gives until the server takes it or refuses for good; the response is of
  // status 200.
  template <class MakeBody, class Send>
  Result<http::Response> ask(const std::string& url, const MakeBody& make_body, const Send& send);
  template <class MakeBody>
  Result<Answer> generate(const std::string& path, const Sampling& sampling,
                          const MakeBody& make_body);
  // Ollama's own API, which says more than its /v1.
  [[nodiscard]] bool native() const { return kind_ == ServerKind::kOllama; }
  Result<Echo> echo_of(const std::string& prompt);
  Status read_models(const http::Response& response, const std::string& name);
  void look_for_ollama();
  Status choose_model(const std::string& name);
  [[nodiscard]] Error clean(Error error) const {
    return {error.code, redacted(std::move(error.message), options_.api_key)};
  }

  Options options_;
  ServerAddress address_;
  http::Connection connection_;
  ServerKind kind_ = ServerKind::kUnknown;
  RequestBodies bodies_;
  std::string model_;
  std::vector<std::string> models_;
  std::optional<Answer> partial_;
};

Status OpenAiEndpoint::greet() {
  const std::string url = address_.base + "/models";
  const http::Request request = make_request(options_, url);
  EDGELM_TRY_ASSIGN(const http::Response response,
                    with_retries(options_, url, [&] { return connection_.fetch(request); }));
  if (response.status == 200) {
    if (Status status = read_models(response, url); !status) return fail(clean(status.error()));
    EDGELM_TRY(choose_model(url));
    look_for_ollama();
  } else if ((response.status == 404 || response.status == 405) && !options_.model.empty()) {
    model_ = options_.model;  // some gateways have no list
  } else if (response.status == 404 || response.status == 405) {
    return fail(
        ErrorCode::kUsage,
        "{}: answers {}: no OpenAI-compatible server, or one that lists no models: then name "
        "one",
        url, response.status);
  } else {
    return fail(status_error(response, url, options_.api_key));
  }
  bodies_ = RequestBodies(model_, kind_, options_.context_tokens);
  return {};
}

Status OpenAiEndpoint::read_models(const http::Response& response, const std::string& name) {
  const auto json = api::parse(response.body, name);
  const api::Json* const data = json ? api::find(*json, "data") : nullptr;
  if (data == nullptr || !data->is_array()) {
    const std::string said = server_message(response.body);
    return fail(
        ErrorCode::kFormat, "{}: expected an OpenAI-compatible server's list of models, got {}{}{}",
        name, printable_line(response.header("content-type"), 80), said.empty() ? "" : ": ", said);
  }
  models_.reserve(data->size());
  for (const api::Json& entry : *data) {
    EDGELM_TRY_ASSIGN(std::string id, api::string_at(entry, "id", name));
    models_.push_back(std::move(id));
    const std::string owner = api::string_at(entry, "owned_by", name).value_or("");
    if (owner == "llamacpp") kind_ = ServerKind::kLlamaCpp;
    if (owner == "vllm") kind_ = ServerKind::kVllm;
    if (owner == "edgelm") kind_ = ServerKind::kEdgelm;
  }
  return {};
}

void OpenAiEndpoint::look_for_ollama() {
  if (kind_ != ServerKind::kUnknown) return;
  // Ollama puts the name's first part where others put the owner; it alone has /api/tags.
  const http::Request tags = make_request(options_, address_.root + "/api/tags");
  const auto answer = connection_.fetch(tags);
  if (!answer || answer->status != 200) return;
  const auto list = api::parse(answer->body, "list");
  if (list && api::find(*list, "models") != nullptr) kind_ = ServerKind::kOllama;
}

Status OpenAiEndpoint::choose_model(const std::string& name) {
  const auto list = [this] {
    constexpr std::size_t kShown = 20;
    std::string text;
    for (std::size_t i = 0; i < std::min(models_.size(), kShown); ++i) {
      text += i == 0 ? "" : ", ";
      text += printable_line(models_[i], 100);
    }
    if (models_.size() > kShown) text += fmt::format(", and {} more", models_.size() - kShown);
    return text;
  };
  if (models_.empty() && options_.model.empty())
    return fail(ErrorCode::kUsage, "{}: the server has no model", name);
  if (options_.model.empty()) {
    if (models_.size() > 1)
      return fail(ErrorCode::kUsage, "{}: the server has {} models: name one of {}", name,
                  models_.size(), list());
    model_ = models_.front();
    return {};
  }
  for (const std::string& listed : models_) {
    if (!means(listed, options_.model)) continue;
    model_ = listed;
    return {};
  }
  // Some servers answer with what they have whatever is asked for: it would be measured under a
  // wrong name.
  return fail(ErrorCode::kUsage, "{}: no model '{}' here; there is {}", name,
              printable_line(options_.model, 100), models_.empty() ? "none" : list());
}

template <class MakeBody, class Send>
Result<http::Response> OpenAiEndpoint::ask(const std::string& url, const MakeBody& make_body,
                                           const Send& send) {
  for (int lessons = 0;; ++lessons) {
    const api::Json body = make_body();
    EDGELM_TRY_ASSIGN(std::string text, to_text(body));
    http::Request request = post(options_, url, std::move(text));
    Result<http::Response> response = with_retries(options_, url, [&] { return send(request); });
    if (!response) return fail(clean(response.error()));
    if (response->status == 200) return response;
    Error error = status_error(*response, url, options_.api_key);
    const bool refused = response->status == 400 || response->status == 422;
    if (!refused || lessons == kMaxLessons || !bodies_.learn(body, response->body))
      return fail(std::move(error));
  }
}

template <class MakeBody>
Result<Answer> OpenAiEndpoint::generate(const std::string& path, const Sampling& sampling,
                                        const MakeBody& make_body) {
  const std::string url = (native() ? address_.root : address_.base) + path;
  partial_.reset();
  std::optional<AnswerReader> reader;
  const auto send = [&](http::Request& request) {
    reader.emplace(url, sampling.max_tokens,
                   native() ? StreamForm::kOllamaLines : StreamForm::kEvents);
    reader->set_patience(options_.timeout);
    request.total_timeout = std::chrono::milliseconds(0);  // as long as text keeps coming
    request.on_sent = [&] { reader->sent(os::now_ns()); };
    return connection_.stream(request, [&](std::string_view piece) { return reader->push(piece); });
  };
  const Result<http::Response> response = ask(url, make_body, send);
  const Status status =
      response ? reader->finish(response->header("content-type")) : Status(fail(response.error()));
  if (status) return reader->take();
  if (reader && !reader->answer().piece_ns.empty()) partial_ = reader->take();
  return fail(clean(status.error()));
}

Result<Continuation> OpenAiEndpoint::score(const std::string& context,
                                           const std::string& continuation) {
  const std::string url = address_.base + "/completions";
  if (continuation.empty())
    return fail(ErrorCode::kUsage, "{}: an empty continuation has no likelihood", url);
  EDGELM_TRY_ASSIGN(const Echo echo, echo_of(context + continuation));
  if (const auto range = continuation_by_offset(echo, context, continuation))
    return score_of(echo, *range, url);
  // Offsets that do not add up: the context alone tells how many tokens are its own.
  if (!context.empty() && echo.n_prompt_tokens) {
    EDGELM_TRY_ASSIGN(const Echo before, echo_of(context));
    if (before.n_prompt_tokens)
      return score_of(echo, {*before.n_prompt_tokens, *echo.n_prompt_tokens}, url);
  }
  return fail(
      ErrorCode::kFormat,
      "{}: the offsets of the echoed tokens do not add up to the text, and there is no usage: "
      "which of them belong to the continuation cannot be told",
      url);
}

Result<Echo> OpenAiEndpoint::echo_of(const std::string& prompt) {
  const std::string url = address_.base + "/completions";
  if (native())
    return fail(ErrorCode::kUnsupported,
                "{}: Ollama gives no log-probabilities of a prompt, so texts cannot be scored with "
                "it: evaluate the model's file, or generated answers",
                url);
  const auto send = [this](http::Request& request) { return connection_.fetch(request); };
  const auto response = ask(
      url, [&] { return bodies_.score(prompt); }, send);
  if (!response) {
    // llama.cpp's server: "Only no echo is supported".
    if (response.error().message.find("echo") == std::string::npos) return fail(response.error());
    return fail(ErrorCode::kUnsupported,
                "{}; without 'echo' texts cannot be scored with this server: evaluate the model's "
                "file, or generated answers",
                response.error().message);
  }
  const Result<api::Json> answer = api::parse(response->body, url);
  if (!answer) return fail(clean(answer.error()));
  return read_echo(*answer, prompt, url);
}

Known<std::uint32_t> OpenAiEndpoint::count_tokens(const std::string& text) {
  if (native()) return not_available("Ollama does not tokenize for others");
  const std::string url = address_.root + "/tokenize";
  const auto send = [this](http::Request& request) { return connection_.fetch(request); };
  const Result<http::Response> response = ask(
      url, [&] { return bodies_.tokenize(text); }, send);
  if (!response) return not_available(response.error().message);
  const auto answer = api::parse(response->body, url);
  if (!answer) return not_available(answer.error().message);
  if (const auto count = api::unsigned_at(*answer, "count", url); count && *count < (1u << 31))
    return static_cast<std::uint32_t>(*count);
  const api::Json* const tokens = api::find(*answer, "tokens");
  if (tokens == nullptr || !tokens->is_array())
    return not_available(url + ": answers with neither 'count' nor 'tokens'");
  return static_cast<std::uint32_t>(tokens->size());
}

}  // namespace

std::string_view server_kind_name(ServerKind kind) {
  switch (kind) {
    case ServerKind::kUnknown:
      return "unknown server";
    case ServerKind::kEdgelm:
      return "edgelm";
    case ServerKind::kLlamaCpp:
      return "llama.cpp";
    case ServerKind::kOllama:
      return "Ollama";
    case ServerKind::kVllm:
      return "vLLM";
  }
  return "unknown server";
}

Result<std::unique_ptr<Endpoint>> Endpoint::connect(const Options& options) {
  EDGELM_TRY_ASSIGN(ServerAddress address, parse_address(options.url));
  auto endpoint = std::make_unique<OpenAiEndpoint>(options, std::move(address));
  EDGELM_TRY(endpoint->greet());
  return endpoint;
}

}  // namespace edgelm::endpoint
