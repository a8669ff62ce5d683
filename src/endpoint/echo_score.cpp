// See echo_score.h. Shape: OpenAI API reference, completion object, `logprobs` {tokens,
// text_offset, token_logprobs, top_logprobs}; the first token of a prompt has null. vLLM counts its
// begin token
// ("<s>") in the offsets, though the echoed text does not have it.

#include "endpoint/echo_score.h"

#include <algorithm>

namespace edgelm::endpoint {
namespace {

// A token's log-probability: 0 but for rounding at most. vLLM and OpenAI write -9999 where it is
// minus infinity or not told, and no sum over such a number means anything.
constexpr double kRounding = 1e-3;
constexpr double kLeastLogprob = -9000;

enum class Unit { kCharacters, kBytes };

std::uint64_t length(std::string_view text, Unit unit) {
  if (unit == Unit::kBytes) return text.size();
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// Whether the token was the most likely, from its own probability and those of the likeliest: by
// value, since different tokens may have the same text.
std::optional<bool> is_greedy(double logprob, const api::Json& top) {
  if (!top.is_object() || top.empty()) return std::nullopt;
  for (const auto& [text, value] : top.items()) {
    if (!value.is_number()) return std::nullopt;
    if (value.get<double>() > logprob) return false;
  }
  return true;
}

const api::Json* array_in(const api::Json& object, std::string_view key) {
  const api::Json* const value = api::find(object, key);
  return value != nullptr && value->is_array() ? value : nullptr;
}

Result<std::vector<EchoedToken>> read_tokens(const api::Json& logprobs, const std::string& name) {
  const api::Json* const texts = array_in(logprobs, "tokens");
  const api::Json* const values = array_in(logprobs, "token_logprobs");
  const api::Json* const offsets = array_in(logprobs, "text_offset");
  const api::Json* const tops = array_in(logprobs, "top_logprobs");
  if (texts == nullptr || values == nullptr || offsets == nullptr)
    return fail(ErrorCode::kUnsupported,
                "{}: answers without log-probabilities of the prompt (no 'tokens', "
                "'token_logprobs' and 'text_offset')",
                name);
  const std::size_t n = texts->size();
  if (n == 0 || values->size() != n || offsets->size() != n ||
      (tops != nullptr && tops->size() != n))
    return fail(ErrorCode::kFormat, "{}: 'logprobs': {} tokens, {} log-probabilities, {} offsets",
                name, n, values->size(), offsets->size());
  std::vector<EchoedToken> tokens(n);
  for (std::size_t i = 0; i < n; ++i) {
    const api::Json& value = (*values)[i];
    const api::Json& offset = (*offsets)[i];
    if (!(*texts)[i].is_string() || !(value.is_number() || value.is_null()) ||
        !offset.is_number_unsigned())
      return fail(ErrorCode::kFormat,
                  "{}: 'logprobs', token {}: expected a text, a number and an offset", name, i);
    EchoedToken& token = tokens[i];
    token.text = (*texts)[i].get<std::string>();
    token.offset = offset.get<std::uint64_t>();
    if (i > 0 && token.offset < tokens[i - 1].offset)
      return fail(ErrorCode::kFormat, "{}: 'logprobs', token {}: its offset goes back", name, i);
    if (!value.is_number()) continue;
    token.logprob = value.get<double>();
    if (tops != nullptr) token.greedy = is_greedy(*token.logprob, (*tops)[i]);
  }
  return tokens;
}

}  // namespace

Result<Echo> read_echo(const api::Json& answer, std::string_view prompt, const std::string& name) {
  const api::Json* const choices = array_in(answer, "choices");
  if (choices == nullptr || choices->empty())
    return fail(ErrorCode::kFormat, "{}: an answer without 'choices'", name);
  EDGELM_TRY_ASSIGN(const std::string echoed, api::string_at(choices->front(), "text", name));
  if (!echoed.starts_with(prompt))
    return fail(
        ErrorCode::kUnsupported,
        "{}: passes over 'echo': it gives no log-probabilities of a prompt, so texts cannot "
        "be scored with it",
        name);
  const api::Json* const logprobs = api::find(choices->front(), "logprobs");
  if (logprobs == nullptr)
    return fail(ErrorCode::kUnsupported, "{}: echoes the prompt without log-probabilities", name);
  Echo echo;
  EDGELM_TRY_ASSIGN(echo.tokens, read_tokens(*logprobs, name));
  if (const api::Json* const usage = api::find(answer, "usage")) {
    const auto count = api::unsigned_at(*usage, "prompt_tokens", name);
    if (count && *count <= echo.tokens.size()) echo.n_prompt_tokens = *count;
  }
  return echo;
}

std::optional<TokenRange> continuation_by_offset(const Echo& echo, std::string_view context,
                                                 std::string_view continuation) {
  const std::vector<EchoedToken>& tokens = echo.tokens;
  std::string prompt(context);
  prompt += continuation;
  // A begin token has no log-probability and is no part of the text: what follows it is the start.
  const bool begin_token =
      !tokens.front().logprob && tokens.size() > 1 && !prompt.starts_with(tokens.front().text);
  const std::uint64_t start = begin_token ? tokens[1].offset : tokens.front().offset;
  for (const Unit unit : {Unit::kCharacters, Unit::kBytes}) {
    const std::uint64_t from = start + length(context, unit);
    const std::uint64_t to = start + length(prompt, unit);
    const auto end = std::find_if(tokens.begin(), tokens.end(),
                                  [to](const EchoedToken& token) { return token.offset >= to; });
    // Tokens must border on the prompt's end; else they were counted in another unit.
    const EchoedToken& last = tokens.back();
    if (end == tokens.end() ? last.offset + length(last.text, unit) != to : end->offset != to)
      continue;
    // The first at or after the border, or the one before when it reaches over.
    auto begin = std::find_if(tokens.begin(), end,
                              [from](const EchoedToken& token) { return token.offset >= from; });
    const std::uint64_t at = begin == tokens.end() ? to : begin->offset;
    if (at > from && begin != tokens.begin()) --begin;
    return TokenRange{static_cast<std::uint64_t>(begin - tokens.begin()),
                      static_cast<std::uint64_t>(end - tokens.begin())};
  }
  return std::nullopt;
}

Result<Continuation> score_of(const Echo& echo, TokenRange range, const std::string& name) {
  if (range.begin >= range.end || range.end > echo.tokens.size())
    return fail(ErrorCode::kFormat, "{}: no token of the echoed text belongs to the continuation",
                name);
  Continuation result;
  result.all_greedy = true;
  result.greedy_known = true;
  for (std::uint64_t i = range.begin; i < range.end; ++i) {
    const EchoedToken& token = echo.tokens[i];
    if (!token.logprob)
      return fail(ErrorCode::kUsage,
                  "{}: the first token of a text has no log-probability: give a context before the "
                  "continuation",
                  name);
    if (!(*token.logprob >= kLeastLogprob && *token.logprob <= kRounding))
      return fail(ErrorCode::kFormat,
                  "{}: {:g} is no log-probability of a token: expected {:g} to 0; servers write "
                  "-9999 for one that they do not tell",
                  name, *token.logprob, kLeastLogprob);
    result.sum_logprob += *token.logprob;
    ++result.n_tokens;
    if (!token.greedy) result.greedy_known = false;
    if (!token.greedy.value_or(false)) result.all_greedy = false;
  }
  return result;
}

}  // namespace edgelm::endpoint
