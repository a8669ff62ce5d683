#pragma once
// The speed model itself: the time of one decoded token and of one prompt, taken apart into what it
// is made of. Formulas: docs/predict.md. Called by predict.cpp and, over and over, by the fit.

#include "predict/model.h"
#include "predict/predict.h"
#include "predict/profile.h"

namespace edgelm::predict {

struct StepTime {
  double seconds = 0;
  // Parts; how they combine depends on the profile, so they need not add up.
  double memory_s = 0;      // weights and cache from memory
  double arithmetic_s = 0;  // products of weights, with unpacking
  double attention_s = 0;
  double overhead_s = 0;
  double bytes = 0;    // read from memory
  double weights = 0;  // multiply-adds with weights
  Term term = Term::kBandwidth;
};

// One token of one sequence, with `positions` in the cache. kUnsupported when the profile knows
// nothing of one of the model's types.
Result<StepTime> decode_time(const Profile& profile, const Model& model, std::uint32_t threads,
                             double positions, double kv_element_bytes);

// `n` tokens after `depth` others, with the logits of the last one.
Result<StepTime> prefill_time(const Profile& profile, const Model& model, std::uint32_t threads,
                              double n, double depth);

// Watts while doing that.
double watts_of(const PowerModel& power, const StepTime& step, std::uint32_t threads);
// Its terms, in the order of PowerModel's members: what the fit multiplies with coefficients.
inline constexpr std::size_t kPowerTerms = 5;
void power_terms(const StepTime& step, std::uint32_t threads, double (&terms)[kPowerTerms]);

}  // namespace edgelm::predict
