// One position: two distributions, or one and what is left of another.

#include <algorithm>
#include <cmath>

#include "quality/kl.h"
#include "quality/log_softmax.h"

namespace edgelm::quality {
namespace {

std::size_t argmax(std::span<const float> logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace

KlPosition compare_logits(std::span<const float> base, std::span<const float> logits,
                          std::int32_t next) {
  const double base_sum = log_sum_exp(base);
  const double sum = log_sum_exp(logits);
  const auto id = static_cast<std::size_t>(next);
  KlPosition result;
  result.base_logprob = double{base[id]} - base_sum;
  result.logprob = double{logits[id]} - sum;
  result.same_top = argmax(base) == argmax(logits);
  for (std::size_t i = 0; i < base.size(); ++i) {
    const double base_logprob = double{base[i]} - base_sum;
    const double p = std::exp(base_logprob);
    if (p > 0) result.divergence += p * (base_logprob - (double{logits[i]} - sum));
  }
  return result;
}

KlPosition TopComparison::compare(const BasePosition& base, std::span<const float> logits,
                                  std::int32_t next) {
  named_.resize(std::max(named_.size(), logits.size()));
  const double sum = log_sum_exp(logits);
  KlPosition result;
  result.base_logprob = base.logprob;
  result.logprob = double{logits[static_cast<std::size_t>(next)]} - sum;
  result.same_top = base.ids[0] == argmax(logits);
  for (std::size_t i = 0; i < base.ids.size(); ++i) {
    named_[base.ids[i]] = 1;
    const double p = std::exp(base.logprobs[i]);
    if (p > 0) result.divergence += p * (base.logprobs[i] - (double{logits[base.ids[i]]} - sum));
  }
  double tail = 0;
  for (std::size_t i = 0; i < logits.size(); ++i)
    if (named_[i] == 0) tail += std::exp(double{logits[i]} - sum);
  const double base_tail = std::exp(base.tail_logmass);
  if (base_tail > 0) result.divergence += base_tail * (base.tail_logmass - std::log(tail));
  for (const std::uint32_t id : base.ids) named_[id] = 0;
  return result;
}

}  // namespace edgelm::quality
