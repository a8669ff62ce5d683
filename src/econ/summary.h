#pragma once
// All of econ for one model on one device: what a report's or a plan's row shows. Takes what was
// measured or predicted, with reasons for what is absent, and keeps the reasons.

#include <string>
#include <vector>

#include "base/known.h"
#include "econ/cost.h"
#include "econ/prices.h"
#include "econ/score.h"

namespace edgelm::econ {

struct Inputs {
  // Of an answer.
  double prompt_tokens = 0;
  double output_tokens = 0;
  Known<double> ttft_s = not_available("not given");
  Known<double> tokens_per_s = not_available("not given");  // decode
  Known<double> decode_joules_per_token = not_available("no power sensor");
  Known<double> prefill_joules_per_token = not_available("no power sensor");
  Known<double> quality = not_available("no evaluation");  // Q in [0, 1]
  // As in the price list; "" or one that is not in it: costs with hardware are n/a.
  std::string device = {};
};

struct CloudComparison {
  CloudModel model;
  double cost_per_response = 0;
  Known<BreakEven> break_even = not_available("no energy figure");
};

struct Summary {
  Known<TradeOff> trade_off = not_available("no energy figure");
  Known<Usability> usability = not_available("no speed");
  Known<double> joules_per_response = not_available("no energy figure");
  Known<double> seconds_per_response = not_available("no speed");
  Known<double> cost_per_response = not_available("no energy figure");  // CPR: energy alone
  Known<double> energy_per_million = not_available("no energy figure");
  Known<double> hardware_per_million = not_available("no device price");
  Known<double> total_per_million = not_available("no energy figure or device price");
  Known<double> operational_grams = not_available("no energy figure");     // per response
  Known<double> embodied_grams = not_available("no embodied figure");      // per response
  Known<double> responsiveness = not_available("no time to first token");  // R
  std::vector<Utility> utilities;  // alpha swept; empty when Q, R or CPR is n/a
  std::vector<CloudComparison> clouds;
};

Summary summarise(const Inputs& inputs, const Prices& prices, const UsabilityLimits& limits = {});

}  // namespace edgelm::econ
