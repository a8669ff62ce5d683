#pragma once
// Choosing the next token from logits. Order of the steps (as llama.cpp's default chain):
// penalties -> top-k -> top-p -> min-p -> temperature -> draw. Randomness is a function of
// (seed, token index) alone, and the state can be rebuilt from the ids of the stream, so that an
// answer can be continued elsewhere, token for token. Allocates only when constructed.

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace edgelm::text {

struct SamplingParams {
  float temperature = 0.8F;          // 0: greedy (ties go to the lowest id)
  std::uint32_t top_k = 40;          // 0: off
  float top_p = 0.95F;               // 1: off
  float min_p = 0.05F;               // 0: off
  float repetition_penalty = 1.0F;   // 1: off; logit / p if positive, * p otherwise (Keskar 2019)
  float presence_penalty = 0.0F;     // subtracted once from every token seen
  float frequency_penalty = 0.0F;    // subtracted per occurrence
  std::uint32_t penalty_window = 64;  // last tokens (prompt included) the penalties look at; 0: all
  std::uint64_t seed = 0;
};

// kUsage with the name of the parameter that is out of range or not finite.
Status validate(const SamplingParams& params);

struct TokenLogprob {
  TokenId id = kNoToken;
  float logprob = 0;  // natural log of the softmax over the raw logits, before any sampling step
};

class Sampler {
 public:
  // `max_tokens` bounds the history when penalty_window is 0.
  Sampler(const SamplingParams& params, std::uint32_t n_vocab, std::uint32_t max_tokens);

  // Forgets everything and takes `ids` (prompt and generated) as the history.
  void reset(std::span<const TokenId> ids);
  // One more token of the history.
  void accept(TokenId id);

  // Token number `token_index` of the generated stream (0 for the first). Does not accept it.
  // Logits that are NaN count as -infinity; if none is finite, returns the lowest id.
  TokenId sample(std::span<const float> logits, std::uint64_t token_index);

  [[nodiscard]] const SamplingParams& params() const { return params_; }

 private:
  SamplingParams params_;
  std::vector<float> scratch_;                 // logits after penalties
  std::vector<std::uint32_t> order_;           // candidate ids
  std::vector<TokenId> history_;               // ring of the last penalty_window ids
  std::vector<std::uint32_t> counts_;          // occurrences per id inside the window
  std::size_t history_begin_ = 0;
  std::size_t history_size_ = 0;
};

// Log-probability of `id` and of the `top.size()` most likely tokens (descending; ties by id).
TokenLogprob token_logprobs(std::span<const float> logits, TokenId id, std::span<TokenLogprob> top);

}  // namespace edgelm::text
