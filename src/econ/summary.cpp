// Composes cost.h and score.h; a figure that is absent passes its reason on.

#include "econ/summary.h"

namespace edgelm::econ {
namespace {

Known<double> energy_of_response(const Inputs& in) {
  double joules = 0;
  if (in.output_tokens > 0) {
    if (!in.decode_joules_per_token) return in.decode_joules_per_token;
    joules += *in.decode_joules_per_token * in.output_tokens;
  }
  if (in.prompt_tokens > 0) {
    if (!in.prefill_joules_per_token) return in.prefill_joules_per_token;
    joules += *in.prefill_joules_per_token * in.prompt_tokens;
  }
  if (joules <= 0) return not_available("an answer without tokens");
  return joules;
}

Known<double> time_of_response(const Inputs& in) {
  double seconds = 0;
  if (in.prompt_tokens > 0) {
    if (!in.ttft_s) return in.ttft_s;
    seconds += *in.ttft_s;
  }
  if (in.output_tokens > 0) {
    if (!in.tokens_per_s) return in.tokens_per_s;
    if (*in.tokens_per_s <= 0) return not_available("no speed");
    seconds += in.output_tokens / *in.tokens_per_s;
  }
  return seconds;
}

void add_money(const Inputs& in, const Prices& prices, Summary& out) {
  const DevicePrice* device = prices.find_device(in.device);
  if (out.joules_per_response)
    out.cost_per_response = energy_cost(*out.joules_per_response, prices.price_per_kwh);
  else
    out.cost_per_response = not_available(out.joules_per_response.error().reason);
  if (in.decode_joules_per_token)
    out.energy_per_million =
        energy_cost_per_million(*in.decode_joules_per_token, prices.price_per_kwh);
  else
    out.energy_per_million = not_available(in.decode_joules_per_token.error().reason);
  if (device == nullptr)
    out.hardware_per_million = not_available("no price for this device in the price list");
  else if (!in.tokens_per_s)
    out.hardware_per_million = in.tokens_per_s;
  else
    out.hardware_per_million = hardware_cost_per_million(device->price, prices.lifetime_years,
                                                         prices.utilisation, *in.tokens_per_s);
  if (!out.energy_per_million)
    out.total_per_million = out.energy_per_million;
  else if (!out.hardware_per_million)
    out.total_per_million = out.hardware_per_million;
  else
    out.total_per_million = *out.energy_per_million + *out.hardware_per_million;

  out.clouds.reserve(prices.cloud.size());
  for (const CloudModel& model : prices.cloud) {
    CloudComparison comparison{
        .model = model, .cost_per_response = cloud_cost(model, in.prompt_tokens, in.output_tokens)};
    if (out.joules_per_response)
      comparison.break_even =
          break_even({.device_price = device == nullptr ? 0 : device->price,
                      .lifetime_years = prices.lifetime_years,
                      .prompt_tokens = in.prompt_tokens,
                      .output_tokens = in.output_tokens,
                      .joules_per_response = *out.joules_per_response,
                      .tokens_per_s = out.seconds_per_response && *out.seconds_per_response > 0
                                          ? in.output_tokens / *out.seconds_per_response
                                          : 0,
                      .price_per_kwh = prices.price_per_kwh},
                     model);
    else
      comparison.break_even = not_available(out.joules_per_response.error().reason);
    out.clouds.push_back(std::move(comparison));
  }
}

void add_carbon(const Inputs& in, const Prices& prices, Summary& out) {
  if (out.joules_per_response)
    out.operational_grams = operational_grams(*out.joules_per_response, prices.grams_per_kwh);
  else
    out.operational_grams = not_available(out.joules_per_response.error().reason);
  const DevicePrice* device = prices.find_device(in.device);
  if (device == nullptr)
    out.embodied_grams = not_available("no embodied carbon for this device in the price list");
  else if (!out.seconds_per_response)
    out.embodied_grams = out.seconds_per_response;
  else
    out.embodied_grams = embodied_grams(device->embodied_kg, *out.seconds_per_response,
                                        prices.lifetime_years, prices.utilisation);
}

}  // namespace

Summary summarise(const Inputs& inputs, const Prices& prices, const UsabilityLimits& limits) {
  Summary out;
  if (inputs.decode_joules_per_token && inputs.tokens_per_s)
    out.trade_off = trade_off(*inputs.decode_joules_per_token, *inputs.tokens_per_s);
  else
    out.trade_off = not_available(inputs.decode_joules_per_token
                                      ? inputs.tokens_per_s.error().reason
                                      : inputs.decode_joules_per_token.error().reason);
  if (inputs.ttft_s && inputs.tokens_per_s)
    out.usability = usability(*inputs.ttft_s, *inputs.tokens_per_s, limits);
  out.joules_per_response = energy_of_response(inputs);
  out.seconds_per_response = time_of_response(inputs);
  add_money(inputs, prices, out);
  add_carbon(inputs, prices, out);
  if (inputs.ttft_s)
    out.responsiveness = responsiveness(*inputs.ttft_s);
  else
    out.responsiveness = inputs.ttft_s;
  if (inputs.quality && out.responsiveness && out.cost_per_response)
    out.utilities = sweep_alpha(*inputs.quality, *out.responsiveness, *out.cost_per_response);
  return out;
}

}  // namespace edgelm::econ
