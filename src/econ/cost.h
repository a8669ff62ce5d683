#pragma once
// Money and carbon of tokens and answers: pure arithmetic. Amounts are in the currency of the
// price list, energies in joules. Used by plan and report through summary.h, and on its own.

#include <cstdint>

#include "base/known.h"
#include "econ/prices.h"

namespace edgelm::econ {

inline constexpr double kJoulesPerKwh = 3.6e6;
inline constexpr double kSecondsPerYear = 365.25 * 86400;

// Energy alone. 590 J at 0.25 per kWh are 0.0000410.
constexpr double energy_cost(double joules, double price_per_kwh) {
  return joules / kJoulesPerKwh * price_per_kwh;
}
constexpr double energy_cost_per_million(double joules_per_token, double price_per_kwh) {
  return energy_cost(joules_per_token * 1e6, price_per_kwh);
}

// The device's price over all the tokens of its life. n/a unless every figure is positive.
Known<double> hardware_cost_per_million(double device_price, double lifetime_years,
                                        double utilisation, double tokens_per_s);

// Cost per response (CPR) of a cloud. 100 in and 225 out at 30 and 60 per million are 0.0165.
constexpr double cloud_cost(const CloudModel& model, double prompt_tokens, double output_tokens) {
  return (prompt_tokens * model.input_per_million + output_tokens * model.output_per_million) / 1e6;
}

// When owning the device is cheaper than the cloud, for answers of one size.
struct BreakEven {
  double cloud_per_million = 0;  // per million generated tokens, the prompt's share included
  double edge_per_million = 0;   // energy alone
  // Generated tokens after which what was saved has paid the device.
  Known<double> tokens = not_available("not computed");
  // The same spread over the lifetime.
  Known<double> tokens_per_day = not_available("not computed");
  // Days of generating without a pause; beyond the lifetime it never pays.
  Known<double> days_nonstop = not_available("not computed");
  bool beyond_lifetime = false;  // known and so
};
struct BreakEvenInput {
  double device_price = 0;
  double lifetime_years = 0;
  double prompt_tokens = 0;        // of one answer
  double output_tokens = 0;        // of one answer
  double joules_per_response = 0;  // prefill and decode
  double tokens_per_s = 0;         // generated, prefill's time included
  double price_per_kwh = 0;
};
BreakEven break_even(const BreakEvenInput& input, const CloudModel& cloud);

// Grams of CO2 equivalent.
constexpr double operational_grams(double joules, double grams_per_kwh) {
  return joules / kJoulesPerKwh * grams_per_kwh;
}
// The share of the device's making that `seconds` of use take.
Known<double> embodied_grams(const Known<double>& embodied_kg, double seconds,
                             double lifetime_years, double utilisation);

}  // namespace edgelm::econ
