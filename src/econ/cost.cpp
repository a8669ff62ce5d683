// Amortisation, break-even and embodied carbon: the parts of cost.h that can be undefined.

#include "econ/cost.h"

#include <cmath>

namespace edgelm::econ {
namespace {

bool positive(double value) { return std::isfinite(value) && value > 0; }

}  // namespace

Known<double> hardware_cost_per_million(double device_price, double lifetime_years,
                                        double utilisation, double tokens_per_s) {
  if (!positive(device_price)) return not_available("no device price");
  if (!positive(lifetime_years) || !positive(utilisation) || utilisation > 1)
    return not_available("no lifetime or utilisation");
  if (!positive(tokens_per_s)) return not_available("no speed");
  return device_price / (lifetime_years * kSecondsPerYear * utilisation * tokens_per_s) * 1e6;
}

BreakEven break_even(const BreakEvenInput& input, const CloudModel& cloud) {
  BreakEven result;
  if (!positive(input.output_tokens)) {
    result.tokens = not_available("an answer without tokens");
    return result;
  }
  const double cloud_response = cloud_cost(cloud, input.prompt_tokens, input.output_tokens);
  const double edge_response = energy_cost(input.joules_per_response, input.price_per_kwh);
  result.cloud_per_million = cloud_response / input.output_tokens * 1e6;
  result.edge_per_million = edge_response / input.output_tokens * 1e6;
  const double saved_per_token = (cloud_response - edge_response) / input.output_tokens;
  if (!positive(saved_per_token)) {
    const auto reason = not_available("the cloud costs less than the energy here");
    result.tokens = reason;
    result.tokens_per_day = reason;
    result.days_nonstop = reason;
    return result;
  }
  if (!positive(input.device_price)) {
    const auto reason = not_available("no device price");
    result.tokens = reason;
    result.tokens_per_day = reason;
    result.days_nonstop = reason;
    return result;
  }
  result.tokens = input.device_price / saved_per_token;
  result.tokens_per_day = positive(input.lifetime_years)
                              ? Known<double>(*result.tokens / (input.lifetime_years * 365.25))
                              : Known<double>(not_available("no lifetime"));
  result.days_nonstop = positive(input.tokens_per_s)
                            ? Known<double>(*result.tokens / input.tokens_per_s / 86400)
                            : Known<double>(not_available("no speed"));
  result.beyond_lifetime = positive(input.lifetime_years) && result.days_nonstop &&
                           *result.days_nonstop * 86400 > input.lifetime_years * kSecondsPerYear;
  return result;
}

Known<double> embodied_grams(const Known<double>& embodied_kg, double seconds,
                             double lifetime_years, double utilisation) {
  if (!embodied_kg) return embodied_kg;
  if (!positive(lifetime_years) || !positive(utilisation))
    return not_available("no lifetime or utilisation");
  if (!std::isfinite(seconds) || seconds < 0) return not_available("no duration");
  return *embodied_kg * 1000 * seconds / (lifetime_years * kSecondsPerYear * utilisation);
}

}  // namespace edgelm::econ
