// The dialects of streamed answers; see answer_reader.h. Shapes: the OpenAI API reference ("chat
// completion chunk object", "completion object"); `timings` of llama.cpp's server (tools/server,
// README); lines, counts and durations (nanoseconds) of Ollama (docs/api.md).

#include "endpoint/answer_reader.h"

#include <limits>
#include <utility>

#include "endpoint/failure.h"
#include "os/clock.h"

namespace edgelm::endpoint {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;
constexpr std::size_t kShownBytes = 512;

// Tokens come at most one piece each as a rule; proxies cut otherwise. Beyond this a stream has no
// end.
std::uint64_t piece_limit(std::uint32_t max_tokens) {
  return 1000 + std::uint64_t{16} * max_tokens;
}

Known<std::uint32_t> count_at(const api::Json& object, const char* key, const char* where) {
  if (api::find(object, key) == nullptr)
    return not_available(fmt::format("the server's {} has no '{}'", where, key));
  const auto value = api::unsigned_at(object, key, where);
  if (!value || *value > std::numeric_limits<std::uint32_t>::max())
    return not_available(fmt::format("the server's {} has a '{}' that is no count", where, key));
  return static_cast<std::uint32_t>(*value);
}

void set_ms(const api::Json& object, const char* key, double unit_ms, Known<double>& to) {
  const auto value = api::number_at(object, key, "timings");
  if (value && *value >= 0 && *value < 1e15) to = *value * unit_ms;
}

}  // namespace

AnswerReader::AnswerReader(std::string name, std::uint32_t max_tokens, StreamForm form)
    : name_(std::move(name)), max_pieces_(piece_limit(max_tokens)), form_(form) {}

bool AnswerReader::push(std::string_view piece) {
  if (start_.size() < kShownBytes) start_ += piece.substr(0, kShownBytes - start_.size());
  const bool more = form_ == StreamForm::kOllamaLines ? push_lines(piece) : push_events(piece);
  return more && still_worth_it();
}

bool AnswerReader::still_worth_it() {
  const std::int64_t now = os::now_ns();
  if (patience_.count() <= 0 || now - last_text_ns_ <= patience_.count()) return true;
  answer_.end_ns = now;
  // What was still to come are counts at most.
  if (answer_.finish_reason.empty())
    status_ =
        fail(ErrorCode::kIo,
             "{}: no text for {:.3g} s, though the connection is kept alive ({} pieces of "
             "text came before); a longer --timeout waits longer",
             name_, std::chrono::duration<double>(patience_).count(), answer_.piece_ns.size());
  return false;
}

bool AnswerReader::push_events(std::string_view piece) {
  const Status parsed = parser_.push(
      piece, [this](const http::ServerEvent& event) { return take_piece(event.data); });
  if (status_ && !parsed) {
    status_ = fail(parsed.error().code, "{}: {}", name_, parsed.error().message);
    answer_.end_ns = os::now_ns();
  }
  return !done_ && status_.has_value();
}

bool AnswerReader::push_lines(std::string_view piece) {
  while (!piece.empty() && !done_ && status_) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (part.size() > kMaxLineBytes - line_.size()) {
      status_ = fail(ErrorCode::kLimit, "{}: a line of more than {} bytes", name_, kMaxLineBytes);
      answer_.end_ns = os::now_ns();
      return false;
    }
    line_ += part;
    if (end == std::string_view::npos) return true;
    piece.remove_prefix(end + 1);
    if (!line_.empty()) take_piece(line_);
    line_.clear();
  }
  return !done_ && status_.has_value();
}

bool AnswerReader::take_piece(std::string_view json) {
  if (form_ == StreamForm::kEvents && json == "[DONE]") {
    done_ = true;
  } else if (++n_events_ > max_pieces_) {
    status_ = fail(ErrorCode::kLimit, "{}: the stream does not end: {} pieces", name_, n_events_);
  } else {
    status_ = form_ == StreamForm::kEvents ? take_event(json) : take_line(json);
  }
  if (done_ || !status_) answer_.end_ns = os::now_ns();
  return !done_ && status_.has_value();
}

Status AnswerReader::finish(std::string_view content_type) {
  if (status_ && !done_ && !line_.empty()) take_piece(std::exchange(line_, {}));  // without an end
  if (!status_) return status_;
  if (answer_.end_ns == 0) answer_.end_ns = os::now_ns();
  // Some servers leave "[DONE]" out; a reason to finish is an end all the same.
  if (done_ && n_events_ > 0) return {};
  if (!answer_.finish_reason.empty()) return {};
  if (n_events_ == 0) {
    const std::string said = server_message(start_);
    return fail(ErrorCode::kFormat, "{}: expected a stream of {}, got {}{}{}", name_,
                form_ == StreamForm::kEvents ? "events" : "JSON lines",
                content_type.empty() ? "no content type" : printable_line(content_type, 80),
                said.empty() ? "" : ": ", said);
  }
  return fail(ErrorCode::kIo, "{}: the stream stopped in the middle, after {} pieces of text",
              name_, answer_.piece_ns.size());
}

Status AnswerReader::take_event(std::string_view data) {
  EDGELM_TRY_ASSIGN(const api::Json chunk, api::parse(data, name_));
  if (!chunk.is_object())
    return fail(ErrorCode::kFormat, "{}: an event that is no JSON object", name_);
  if (api::find(chunk, "error") != nullptr)
    return fail(ErrorCode::kIo, "{}: the server broke off: {}", name_, server_message(data));
  if (const api::Json* const choices = api::find(chunk, "choices")) {
    if (!choices->is_array())
      return fail(ErrorCode::kFormat, "{}: 'choices': expected an array", name_);
    if (!choices->empty()) EDGELM_TRY(take_choice(choices->front()));
  }
  if (const api::Json* const usage = api::find(chunk, "usage")) take_usage(*usage);
  take_timings(chunk);
  return {};
}

Status AnswerReader::take_choice(const api::Json& choice) {
  if (!choice.is_object())
    return fail(ErrorCode::kFormat, "{}: 'choices': expected objects in it", name_);
  const std::size_t before = answer_.text.size() + answer_.reasoning.size();
  if (const api::Json* const delta = api::find(choice, "delta")) {
    EDGELM_TRY(take_text(*delta, "content", answer_.text));
    // llama.cpp, vLLM and DeepSeek call it reasoning_content, Ollama and others reasoning.
    EDGELM_TRY(take_text(*delta, "reasoning_content", answer_.reasoning));
    if (answer_.text.size() + answer_.reasoning.size() == before)
      EDGELM_TRY(take_text(*delta, "reasoning", answer_.reasoning));
  } else {
    EDGELM_TRY(take_text(choice, "text", answer_.text));
  }
  EDGELM_TRY(note_piece(before));
  if (const api::Json* const logprobs = api::find(choice, "logprobs")) take_logprobs(*logprobs);
  if (api::find(choice, "finish_reason") != nullptr) {
    EDGELM_TRY_ASSIGN(answer_.finish_reason, api::string_at(choice, "finish_reason", name_));
  }
  return {};
}

// Ollama: {"response": "x"} or {"message": {"content": "x"}}, at the end counts and durations.
Status AnswerReader::take_line(std::string_view data) {
  EDGELM_TRY_ASSIGN(const api::Json line, api::parse(data, name_));
  if (!line.is_object())
    return fail(ErrorCode::kFormat, "{}: a line that is no JSON object", name_);
  if (api::find(line, "error") != nullptr)
    return fail(ErrorCode::kIo, "{}: the server broke off: {}", name_, server_message(data));
  const std::size_t before = answer_.text.size() + answer_.reasoning.size();
  const api::Json* const message = api::find(line, "message");
  EDGELM_TRY(take_text(message != nullptr ? *message : line,
                       message != nullptr ? "content" : "response", answer_.text));
  EDGELM_TRY(take_text(message != nullptr ? *message : line, "thinking", answer_.reasoning));
  EDGELM_TRY(note_piece(before));
  if (const api::Json* const logprobs = api::find(line, "logprobs"))
    take_logprobs({{"content", *logprobs}});
  const api::Json* const done = api::find(line, "done");
  if (done == nullptr || *done != true) return {};
  done_ = true;
  answer_.finish_reason = api::string_at(line, "done_reason", name_).value_or("");
  answer_.prompt_tokens = count_at(line, "prompt_eval_count", "last line");
  answer_.completion_tokens = count_at(line, "eval_count", "last line");
  set_ms(line, "prompt_eval_duration", 1e-6, answer_.server_prefill_ms);
  set_ms(line, "eval_duration", 1e-6, answer_.server_decode_ms);
  return {};
}

Status AnswerReader::note_piece(std::size_t before) {
  const std::size_t size = answer_.text.size() + answer_.reasoning.size();
  if (size > kMaxTextBytes)
    return fail(ErrorCode::kLimit, "{}: an answer of more than {} bytes", name_, kMaxTextBytes);
  if (size > before) {
    last_text_ns_ = os::now_ns();
    answer_.piece_ns.push_back(last_text_ns_);
  }
  return {};
}

Status AnswerReader::take_text(const api::Json& object, const char* key, std::string& to) {
  if (api::find(object, key) == nullptr) return {};
  EDGELM_TRY_ASSIGN(const std::string text, api::string_at(object, key, name_));
  to += text;
  return {};
}

// Chat: {"content": [{"token", "logprob"}]}; completions: {"tokens": [], "token_logprobs": []}.
// What is of another shape was not given.
void AnswerReader::take_logprobs(const api::Json& logprobs) {
  if (const api::Json* const content = api::find(logprobs, "content")) {
    if (!content->is_array()) return;
    for (const api::Json& entry : *content) {
      auto token = api::string_at(entry, "token", "logprobs");
      const auto logprob = api::number_at(entry, "logprob", "logprobs");
      if (token && logprob) answer_.tokens.push_back({*std::move(token), *logprob});
    }
    return;
  }
  const api::Json* const tokens = api::find(logprobs, "tokens");
  const api::Json* const values = api::find(logprobs, "token_logprobs");
  if (tokens == nullptr || values == nullptr || !tokens->is_array() || !values->is_array()) return;
  for (std::size_t i = 0; i < tokens->size() && i < values->size(); ++i) {
    if ((*tokens)[i].is_string() && (*values)[i].is_number())
      answer_.tokens.push_back({(*tokens)[i].get<std::string>(), (*values)[i].get<double>()});
  }
}

void AnswerReader::take_usage(const api::Json& usage) {
  answer_.prompt_tokens = count_at(usage, "prompt_tokens", "usage");
  answer_.completion_tokens = count_at(usage, "completion_tokens", "usage");
  if (const api::Json* const details = api::find(usage, "prompt_tokens_details"))
    answer_.cached_prompt_tokens = count_at(*details, "cached_tokens", "usage");
}

void AnswerReader::take_timings(const api::Json& chunk) {
  if (const api::Json* const timings = api::find(chunk, "timings")) {
    set_ms(*timings, "prompt_ms", 1, answer_.server_prefill_ms);
    set_ms(*timings, "predicted_ms", 1, answer_.server_decode_ms);
    const auto cached = count_at(*timings, "cache_n", "timings");
    if (cached) answer_.cached_prompt_tokens = cached;
    // Without a usage of its own (an older llama.cpp), these are the counts. prompt_n leaves out
    // what came from the cache.
    const auto prompt = count_at(*timings, "prompt_n", "timings");
    if (!answer_.prompt_tokens && prompt && cached && *cached < UINT32_MAX - *prompt)
      answer_.prompt_tokens = *prompt + *cached;
    if (!answer_.completion_tokens)
      if (const auto n = count_at(*timings, "predicted_n", "timings"))
        answer_.completion_tokens = n;
  }
}

}  // namespace edgelm::endpoint
