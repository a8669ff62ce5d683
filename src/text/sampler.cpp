// Sampler: penalties on the few ids of the window, candidates by partial selection, then one draw.

#include "text/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "text/select.h"
#include "text/weight.h"

namespace edgelm::text {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

bool has_penalties(const SamplingParams& params) {
  return params.repetition_penalty != 1.0F || params.presence_penalty != 0.0F ||
         params.frequency_penalty != 0.0F;
}

// Sum of e^(x - max) in double, in an order that does not depend on the vector width.
double total_weight(std::span<const float> logits, float max) {
  constexpr std::size_t kLanes = 8;
  double lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += exp_weight(logits[i + j] - max);
  }
  double total = std::accumulate(std::begin(lanes), std::end(lanes), 0.0);
  for (; i < logits.size(); ++i) total += exp_weight(logits[i] - max);
  return total;
}

Status check_range(const char* name, float value, float low, float high) {
  if (value >= low && value <= high) return {};  // false for NaN
  return fail(ErrorCode::kUsage, "{}: expected a number from {} to {}, got {}", name, low, high,
              value);
}

Status check_finite(const char* name, float value) {
  if (std::isfinite(value)) return {};
  return fail(ErrorCode::kUsage, "{}: expected a finite number, got {}", name, value);
}

}  // namespace

Status validate(const SamplingParams& params) {
  if (!std::isfinite(params.temperature) || params.temperature < 0) {
    return fail(ErrorCode::kUsage, "temperature: expected a finite number >= 0, got {}",
                params.temperature);
  }
  EDGELM_TRY(check_range("top_p", params.top_p, 0, 1));
  EDGELM_TRY(check_range("min_p", params.min_p, 0, 1));
  if (!std::isfinite(params.repetition_penalty) || params.repetition_penalty <= 0) {
    return fail(ErrorCode::kUsage, "repetition_penalty: expected a finite number > 0, got {}",
                params.repetition_penalty);
  }
  EDGELM_TRY(check_finite("presence_penalty", params.presence_penalty));
  return check_finite("frequency_penalty", params.frequency_penalty);
}

Sampler::Sampler(const SamplingParams& params, std::uint32_t n_vocab, std::uint32_t max_tokens)
    : params_(params), n_vocab_(n_vocab), penalties_(has_penalties(params)) {
  if (penalties_) {
    const std::uint32_t window = params.penalty_window == 0 ? max_tokens : params.penalty_window;
    history_.resize(std::min(window, max_tokens));
    counts_.resize(n_vocab);
    slots_.resize(n_vocab);
    seen_.reserve(std::min<std::size_t>(n_vocab, history_.size()));
  }
  scratch_.resize(n_vocab);
  if (params.temperature == 0) return;
  const std::size_t k = params.top_k == 0 ? n_vocab : std::min(params.top_k, n_vocab);
  order_.reserve(std::min<std::size_t>(n_vocab + 1ULL, select_top_capacity(k)));
  weights_.resize(k);
}

void Sampler::reset(std::span<const TokenId> ids) {
  std::fill(counts_.begin(), counts_.end(), 0U);
  seen_.clear();
  history_begin_ = 0;
  history_size_ = 0;
  for (const TokenId id : ids) accept(id);
}

void Sampler::accept(TokenId id) {
  if (history_.empty() || id < 0 || static_cast<std::uint32_t>(id) >= n_vocab_) return;
  if (history_size_ == history_.size()) {
    count(history_[history_begin_], false);
    history_[history_begin_] = id;
    history_begin_ = (history_begin_ + 1) % history_.size();
  } else {
    history_[history_size_++] = id;
  }
  count(id, true);
}

void Sampler::count(TokenId id, bool add) {
  const auto index = static_cast<std::size_t>(id);
  if (add) {
    if (counts_[index]++ > 0) return;
    slots_[index] = static_cast<std::uint32_t>(seen_.size());
    seen_.push_back(id);
  } else {
    if (--counts_[index] > 0) return;
    const TokenId moved = seen_.back();
    seen_[slots_[index]] = moved;
    slots_[static_cast<std::size_t>(moved)] = slots_[index];
    seen_.pop_back();
  }
}

void Sampler::penalize(TokenId id) {
  const auto index = static_cast<std::size_t>(id);
  float& logit = scratch_[index];
  if (logit == kMinusInfinity || std::isnan(logit)) return;
  logit = logit > 0 ? logit / params_.repetition_penalty : logit * params_.repetition_penalty;
  logit -= params_.presence_penalty;
  logit -= params_.frequency_penalty * static_cast<float>(counts_[index]);
}

// The logits to choose from (the caller's own when nothing changes them), and the largest of them,
// which is finite unless there is none.
std::span<const float> Sampler::penalized(std::span<const float> logits, float* max) {
  if (!seen_.empty()) {
    std::copy(logits.begin(), logits.end(), scratch_.begin());
    for (const TokenId id : seen_) {
      if (static_cast<std::size_t>(id) < logits.size()) penalize(id);
    }
    logits = std::span<const float>(scratch_).first(logits.size());
  }
  *max = largest(logits);
  if (*max <= kLargest) return logits;
  std::transform(logits.begin(), logits.end(), scratch_.begin(),
                 [](float logit) { return logit > kLargest ? kLargest : logit; });
  *max = kLargest;
  return std::span<const float>(scratch_).first(logits.size());
}

TokenId Sampler::sample(std::span<const float> logits, std::uint64_t token_index) {
  logits = logits.first(std::min<std::size_t>(logits.size(), n_vocab_));
  float max = kMinusInfinity;
  logits = penalized(logits, &max);
  if (params_.temperature == 0 || max == kMinusInfinity) {
    return static_cast<TokenId>(index_of(logits, max));
  }
  select_candidates(logits, max);
  return draw(logits, max, random_unit(params_.seed, token_index));
}

// Fills order_ with the ids that survive top-k, top-p and min-p, ascending; empty means all.
void Sampler::select_candidates(std::span<const float> logits, float max) {
  order_.clear();
  const std::size_t k =
      params_.top_k == 0 ? logits.size() : std::min<std::size_t>(params_.top_k, logits.size());
  const float bound = params_.min_p > 0 ? max + std::log(params_.min_p) : kMinusInfinity;
  if (params_.top_p < 1) {
    keep_nucleus(logits, max, k, bound);
  } else if (k < logits.size()) {
    select_top(logits, k, order_);
  } else {
    if (params_.min_p > 0) collect(logits, bound);
    return;
  }
  std::erase_if(order_, [&](std::uint32_t id) { return logits[id] < bound; });
  std::sort(order_.begin(), order_.end());
}

void Sampler::collect(std::span<const float> logits, float bound) {
  order_.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] >= bound) order_.push_back(static_cast<std::uint32_t>(i));
  }
}

// Leaves in order_ the shortest prefix, by descending logit, of the k best whose weight reaches
// top_p of theirs. `bound` is min-p's: what lies below it need not be looked at, since both filters
// keep a prefix. Without top-k and min-p longer and longer prefixes are tried, for nearly always a
// short one does.
void Sampler::keep_nucleus(std::span<const float> logits, float max, std::size_t k, float bound) {
  const double top_p = static_cast<double>(params_.top_p);
  if (k < logits.size()) {
    select_top(logits, k, order_);
    double total = 0;
    for (const std::uint32_t id : order_) total += exp_weight(logits[id] - max);
    cut_at(logits, max, top_p * total);
    return;
  }
  const double goal = top_p * total_weight(logits, max);
  if (bound == kMinusInfinity) {
    for (const std::size_t prefix : {256U, 4096U}) {
      select_top(logits, std::min(prefix, k), order_);
      if (cut_at(logits, max, goal)) return;
    }
  }
  collect(logits, bound);
  cut_at(logits, max, goal);
}

// Shortens order_ to the best ones whose weights sum up to `goal`; false, and all kept, when even
// all of them do not. Halves the range that holds the border, so that a flat distribution over the
// whole vocabulary costs linear time.
bool Sampler::cut_at(std::span<const float> logits, float max, double goal) {
  const auto better = [logits](std::uint32_t a, std::uint32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  auto begin = order_.begin();
  auto end = order_.end();
  double sum = 0;
  while (end - begin > 512) {
    const auto middle = begin + (end - begin) / 2;
    std::nth_element(begin, middle, end, better);
    double part = 0;
    for (auto it = begin; it != middle; ++it) part += exp_weight(logits[*it] - max);
    if (sum + part >= goal) {
      end = middle;
    } else {
      sum += part;
      begin = middle;
    }
  }
  std::sort(begin, end, better);
  while (begin != end && sum < goal) sum += exp_weight(logits[*begin++] - max);
  if (begin == order_.begin() && begin != end) ++begin;  // top_p 0 keeps the best one
  order_.erase(begin, order_.end());
  return sum >= goal;
}

TokenId Sampler::draw(std::span<const float> logits, float max, double unit) {
  const bool all = order_.empty();
  const std::size_t size = all ? logits.size() : order_.size();
  const float temperature = params_.temperature;
  if (all) {
    for (std::size_t i = 0; i < size; ++i)
      weights_[i] = exp_weight((logits[i] - max) / temperature);
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      weights_[i] = exp_weight((logits[order_[i]] - max) / temperature);
    }
  }
  double total = 0;
  for (std::size_t i = 0; i < size; ++i) total += weights_[i];
  const double goal = unit * total;
  double sum = 0;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (weights_[i] == 0) continue;
    sum += weights_[i];
    chosen = i;
    if (sum > goal) break;
  }
  return static_cast<TokenId>(all ? chosen : order_[chosen]);
}

TokenLogprob token_logprobs(std::span<const float> logits, TokenId id,
                            std::span<TokenLogprob> top) {
  const float max = std::min(largest(logits), kLargest);
  double sum = 0;
  for (const float logit : logits) {
    if (!(logit > kMinusInfinity)) continue;
    sum += std::exp(static_cast<double>(std::min(logit, kLargest)) - max);
  }
  const double log_sum = max + std::log(sum);
  const auto logprob = [&](TokenId token) {
    const float logit = logits[static_cast<std::size_t>(token)];
    if (!(logit > kMinusInfinity)) return kMinusInfinity;
    return static_cast<float>(std::min(logit, kLargest) - log_sum);
  };

  std::size_t size =
      0;  // of the sorted part of `top`, whose logprob fields hold logits until the end
  for (std::size_t i = 0; i < logits.size() && !top.empty(); ++i) {
    const float logit = std::isnan(logits[i]) ? kMinusInfinity : logits[i];
    if (size == top.size() && !(logit > top[size - 1].logprob)) continue;
    std::size_t at = size < top.size() ? size++ : size - 1;
    for (; at > 0 && top[at - 1].logprob < logit; --at) top[at] = top[at - 1];
    top[at] = {static_cast<TokenId>(i), logit};
  }
  for (std::size_t i = 0; i < top.size(); ++i) {
    top[i] = i < size ? TokenLogprob{top[i].id, logprob(top[i].id)}
                      : TokenLogprob{kNoToken, kMinusInfinity};
  }
  const bool known = id >= 0 && static_cast<std::size_t>(id) < logits.size();
  return {id, known ? logprob(id) : kMinusInfinity};
}

}  // namespace edgelm::text
