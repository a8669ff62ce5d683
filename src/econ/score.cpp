// The scores, each refusing arguments outside its range.

#include "econ/score.h"

#include <cmath>

namespace edgelm::econ {

Known<TradeOff> trade_off(double joules_per_token, double tokens_per_s) {
  if (!std::isfinite(joules_per_token) || joules_per_token <= 0)
    return not_available("no energy per token");
  if (!std::isfinite(tokens_per_s) || tokens_per_s <= 0) return not_available("no speed");
  return TradeOff{.joules_per_token = joules_per_token,
                  .tokens_per_joule = 1 / joules_per_token,
                  .tokens_per_s = tokens_per_s,
                  .s_t = joules_per_token / tokens_per_s};
}

std::string_view usability_name(Usability usability) {
  switch (usability) {
    case Usability::kComfortable:
      return "comfortable";
    case Usability::kUsable:
      return "usable";
    case Usability::kSlowToStart:
      return "slow to start";
    case Usability::kSlowToRead:
      return "slow to read";
    case Usability::kBatchOnly:
      return "batch only";
  }
  return "unknown";
}

Usability usability(double ttft_s, double tokens_per_s, const UsabilityLimits& limits) {
  const bool starts = ttft_s <= limits.ttft_s;  // false for NaN
  const bool reads = tokens_per_s >= limits.reading_tokens_per_s;
  if (!starts) return reads ? Usability::kSlowToStart : Usability::kBatchOnly;
  if (!reads) return Usability::kSlowToRead;
  return tokens_per_s >= limits.comfortable_tokens_per_s ? Usability::kComfortable
                                                         : Usability::kUsable;
}

double responsiveness(double ttft_s, double reference_s) { return 1 / (1 + ttft_s / reference_s); }

Known<Utility> utility(double alpha, double quality, double responsiveness,
                       double cost_per_response) {
  const auto share = [](double value) { return value >= 0 && value <= 1; };  // false for NaN
  if (!share(alpha)) return not_available("alpha is not between 0 and 1");
  if (!share(quality)) return not_available("quality is not between 0 and 1");
  if (!share(responsiveness)) return not_available("responsiveness is not between 0 and 1");
  if (!std::isfinite(cost_per_response) || cost_per_response < 0)
    return not_available("no cost per response");
  Utility result{.alpha = alpha,
                 .quality = quality,
                 .responsiveness = responsiveness,
                 .utility = alpha * quality + (1 - alpha) * responsiveness,
                 .cents = cost_per_response * 100};
  if (result.cents > 0) result.pcr = result.utility / result.cents;
  return result;
}

std::vector<Utility> sweep_alpha(double quality, double responsiveness, double cost_per_response,
                                 std::uint32_t n) {
  std::vector<Utility> sweep;
  if (n < 2) return sweep;
  sweep.reserve(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    const double alpha = static_cast<double>(i) / static_cast<double>(n - 1);
    const Known<Utility> one = utility(alpha, quality, responsiveness, cost_per_response);
    if (!one) return {};
    sweep.push_back(*one);
  }
  return sweep;
}

}  // namespace edgelm::econ
