#pragma once
// Turns the event stream of /v1/completions or /v1/chat/completions into an Answer: text, moments,
// usage, the server's own timings, in whichever dialect they come. Everything in it is hostile:
// types are checked, sizes bounded, an end that is none is told apart. Used by endpoint.cpp.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/json.h"
#include "base/result.h"
#include "endpoint/endpoint.h"
#include "http/sse.h"

namespace edgelm::endpoint {

enum class StreamForm {
  kEvents,       // server-sent events of JSON, then "[DONE]"
  kOllamaLines,  // a JSON object a line, the last with "done": true
};

class AnswerReader {
 public:
  // `name` of the server for messages.
  AnswerReader(std::string name, std::uint32_t max_tokens, StreamForm form);

  void sent(std::int64_t now_ns) { answer_.start_ns = last_text_ns_ = now_ns; }
  // Bytes that come without a piece of text for longer than this (comments that keep a connection
  // open, an event that never becomes whole) end the stream as silence would; 0: never.
  void set_patience(std::chrono::nanoseconds patience) { patience_ = patience; }
  // Bytes as they arrive; false when no more are wanted: the end was seen, or status() is an error.
  bool push(std::string_view piece);
  // The connection's end. An error when the stream did not come to its own end before it.
  Status finish(std::string_view content_type);

  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] const Answer& answer() const { return answer_; }
  Answer take() { return std::move(answer_); }

 private:
  bool take_piece(std::string_view json);  // false: no more
  bool push_events(std::string_view piece);
  bool push_lines(std::string_view piece);
  bool still_worth_it();
  Status take_event(std::string_view data);
  Status take_line(std::string_view data);
  Status take_choice(const api::Json& choice);
  Status take_text(const api::Json& object, const char* key, std::string& to);
  // Text or reasoning that was `before` bytes long has grown.
  Status note_piece(std::size_t before);
  void take_logprobs(const api::Json& logprobs);
  void take_usage(const api::Json& usage);
  void take_timings(const api::Json& chunk);

  std::string name_;
  std::uint64_t max_pieces_;
  StreamForm form_;
  http::EventParser parser_;  // of kEvents
  std::string line_;          // of kOllamaLines, unfinished
  Answer answer_;
  Status status_;
  std::uint64_t n_events_ = 0;
  std::string start_;  // of what came, for messages
  bool done_ = false;  // "[DONE]"
  std::chrono::nanoseconds patience_{0};
  std::int64_t last_text_ns_ = 0;  // or when the request was sent
};

}  // namespace edgelm::endpoint
