#pragma once
// The log-likelihood of a continuation out of an answer to `echo` with log-probabilities: which of
// the tokens belong to it, their sum, and whether each was the most likely. Used by endpoint.cpp.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "base/result.h"
#include "endpoint/endpoint.h"

namespace edgelm::endpoint {

struct EchoedToken {
  std::string text;
  std::uint64_t offset = 0;       // in the text, in the server's unit
  std::optional<double> logprob;  // the first of a text has none
  std::optional<bool> greedy;     // the most likely one; nothing when the server does not tell
};

struct Echo {
  std::vector<EchoedToken> tokens;  // of the prompt, and of what was generated after it
  std::optional<std::uint64_t> n_prompt_tokens;  // by the server's usage
};

struct TokenRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// `answer` is the body that came for `prompt`. kUnsupported when the server did not echo it or gave
// no log-probabilities.
Result<Echo> read_echo(const api::Json& answer, std::string_view prompt, const std::string& name);

// The tokens that hold any of the continuation, by their offsets. Servers count in characters or
// bytes, with or without a token that they put in front; nothing when the offsets do not add up, as
// where several tokens share a character.
std::optional<TokenRange> continuation_by_offset(const Echo& echo, std::string_view context,
                                                 std::string_view continuation);

Result<Continuation> score_of(const Echo& echo, TokenRange range, const std::string& name);

}  // namespace edgelm::endpoint
