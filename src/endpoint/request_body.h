#pragma once
// The JSON that is sent, with what one server or another does not take left out. A server that
// refuses a request over one of our additions names it in its answer; it is asked again without,
// and not bothered with it any more. Used by endpoint.cpp.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "base/result.h"
#include "endpoint/endpoint.h"

namespace edgelm::endpoint {

class RequestBodies {
 public:
  RequestBodies(std::string model, ServerKind server, std::uint32_t context_tokens)
      : model_(std::move(model)), server_(server), context_tokens_(context_tokens) {}

  [[nodiscard]] api::Json complete(const std::string& prompt, const Sampling& sampling) const;
  [[nodiscard]] api::Json chat(const std::vector<Message>& messages,
                               const Sampling& sampling) const;
  // One token after the prompt, with the prompt's tokens and log-probabilities before it.
  [[nodiscard]] api::Json score(const std::string& text) const;
  [[nodiscard]] api::Json tokenize(const std::string& text) const;

  // Whether a refusal (400, 422) with this message is about an addition that can be left out of
  // `body`; it is from now on.
  bool learn(const api::Json& body, std::string_view message);

 private:
  [[nodiscard]] api::Json ollama(const Sampling& sampling) const;
  [[nodiscard]] api::Json common(const Sampling& sampling) const;
  void add(api::Json& body, const char* key, api::Json value) const;

  std::string model_;
  ServerKind server_;
  std::uint32_t context_tokens_;
  std::set<std::string, std::less<>> refused_;
  std::string max_tokens_key_ = "max_tokens";
};

// `body` as text. kUsage when a text in it is not UTF-8: a changed prompt must not be measured.
Result<std::string> to_text(const api::Json& body);

}  // namespace edgelm::endpoint
