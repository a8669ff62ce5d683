#pragma once
// The log-probability of one token in double, and whether it is the most likely one: what the
// log-likelihoods of this folder are made of.

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace edgelm::quality {

struct TokenScore {
  double logprob = 0;   // NaN when any logit is NaN
  bool greedy = false;  // no other logit is larger, and none of a lower id as large
};

// ln sum exp(logits)
inline double log_sum_exp(std::span<const float> logits) {
  float max = -std::numeric_limits<float>::infinity();
  for (const float logit : logits) max = std::max(max, logit);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - double{max});
  return static_cast<double>(max) + std::log(sum);
}

inline TokenScore token_score(std::span<const float> logits, std::int32_t id) {
  const auto index = static_cast<std::size_t>(id);
  if (id < 0 || index >= logits.size()) return {std::nan(""), false};
  bool greedy = true;
  for (std::size_t i = 0; i < logits.size() && greedy; ++i)
    greedy = i < index ? logits[i] < logits[index] : !(logits[i] > logits[index]);
  return {static_cast<double>(logits[index]) - log_sum_exp(logits), greedy};
}

}  // namespace edgelm::quality
