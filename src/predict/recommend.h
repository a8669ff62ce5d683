#pragma once
// Which model, type, thread count and power mode to take for a goal, and what removed the others.
// Used by `edgelm plan --goal`.

#include <string>
#include <string_view>
#include <vector>

#include "base/known.h"
#include "base/result.h"
#include "econ/score.h"
#include "econ/summary.h"
#include "predict/predict.h"

namespace edgelm::predict {

enum class Goal : std::uint8_t { kSpeed, kEnergy, kCost, kQuality };
Result<Goal> parse_goal(std::string_view name);  // kUsage for another name
std::string_view goal_name(Goal goal);

// One model on one engine in one power mode.
struct Candidate {
  Prediction prediction;
  econ::Summary economics;                // the best thread count of prefill and of decode
  std::vector<econ::Summary> by_threads;  // both on one count, as prediction.decode
  // Higher is better; from evaluations, or minus the published loss (quality_prior.h).
  Known<double> quality = not_available("no evaluation");
  std::string quality_source;
};

struct Removed {
  std::size_t candidate = 0;  // index
  std::string reason;         // "does not fit: 9.1 of 7.9 GB"
};

struct Recommendation {
  Known<std::size_t> choice = not_available("no candidates");  // index
  std::uint32_t threads = 0;  // for the goal: the fastest, or the one with the least energy
  std::string why;
  std::vector<Removed> removed;    // by a constraint
  std::vector<Removed> outranked;  // and their figures
};

// All goals want the model to fit; quality also wants it usable (econ::UsabilityLimits), unless
// none is. Ties, which power modes of one model make for quality, go to the least S_t (J/token over
// tokens/s: no candidate that is slower and takes more energy has it), or to the fastest where some
// energy is not known; then to the sooner first token, then to the smaller model. `why` tells.
Recommendation recommend(const std::vector<Candidate>& candidates, Goal goal,
                         const econ::UsabilityLimits& limits = {});

}  // namespace edgelm::predict
