#pragma once
// Choosing the next token from logits. Order of the steps (as llama.cpp's default chain):
// penalties -> top-k -> top-p -> min-p -> temperature -> draw. Randomness is a function of
// (seed, token index) alone, and the state can be rebuilt from the ids of the stream, so that an
// answer can be continued elsewhere, token for token. Allocates only when constructed.
//
// The draw walks the surviving candidates by ascending id, not by descending probability: when two
// machines compute logits that differ in the last bits, near-equal candidates may change places,
// and a walk by probability would then pick another token; a walk by id almost never does.

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace edgelm::text {

struct SamplingParams {
  float temperature = 0.8F;           // 0: greedy (ties go to the lowest id)
  std::uint32_t top_k = 40;           // 0: off
  float top_p = 0.95F;                // 1: off; the candidate that reaches top_p is kept
  float min_p = 0.05F;                // 0: off; keeps those with >= min_p of the best one's share
  float repetition_penalty = 1.0F;    // 1: off; logit / p if positive, * p otherwise (Keskar 2019)
  float presence_penalty = 0.0F;      // subtracted once from every token seen
  float frequency_penalty = 0.0F;     // subtracted per occurrence
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
  // `params` must be valid. `max_tokens` (prompt and answer together) bounds the history, whatever
  // penalty_window says.
  Sampler(const SamplingParams& params, std::uint32_t n_vocab, std::uint32_t max_tokens);

  // Forgets everything and takes `ids` (prompt and generated) as the history: the same state as a
  // new Sampler that has accepted them one by one. Ids outside the vocabulary are ignored.
  void reset(std::span<const TokenId> ids);
  // One more token of the history.
  void accept(TokenId id);

  // Token number `token_index` of the generated stream (0 for the first). Does not accept it.
  // Logits that are NaN count as -infinity, +infinity as the largest float; if all are -infinity,
  // returns the lowest id. `logits` has n_vocab values.
  TokenId sample(std::span<const float> logits, std::uint64_t token_index);

  [[nodiscard]] const SamplingParams& params() const { return params_; }

 private:
  std::span<const float> penalized(std::span<const float> logits, float* max);
  void penalize(TokenId id);
  void count(TokenId id, bool add);
  void select_candidates(std::span<const float> logits, float max);
  void collect(std::span<const float> logits, float bound);
  void keep_nucleus(std::span<const float> logits, float max, std::size_t k, float bound);
  bool cut_at(std::span<const float> logits, float max, double goal);
  [[nodiscard]] TokenId draw(std::span<const float> logits, float max, double unit);

  SamplingParams params_;
  std::uint32_t n_vocab_;
  bool penalties_;                     // false: nothing below but order_ and weights_ is used
  std::vector<float> scratch_;         // logits after penalties
  std::vector<std::uint32_t> order_;   // candidate ids
  std::vector<float> weights_;         // their unnormalized probabilities
  std::vector<TokenId> history_;       // ring of the last ids, oldest at history_begin_
  std::vector<std::uint32_t> counts_;  // occurrences per id inside the window
  std::vector<std::uint32_t> slots_;   // where an id stands in seen_
  std::vector<TokenId> seen_;          // the ids whose count is not 0, each once
  std::size_t history_begin_ = 0;
  std::size_t history_size_ = 0;
};

// Log-probability of `id` and of the `top.size()` most likely tokens (descending; ties by id). NaN
// logits count as -infinity. Entries of `top` beyond the number of tokens get kNoToken and
// -infinity.
TokenLogprob token_logprobs(std::span<const float> logits, TokenId id, std::span<TokenLogprob> top);

}  // namespace edgelm::text
