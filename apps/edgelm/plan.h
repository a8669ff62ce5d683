#pragma once
// What `edgelm plan` was asked and what it found, and the forms it is printed in.

#include <string>
#include <vector>

#include "base/result.h"
#include "econ/prices.h"
#include "econ/score.h"
#include "predict/predict.h"
#include "predict/recommend.h"

namespace edgelm::apps {

// Models that could not be described or planned: name and message.
struct PlanFailure {
  std::string model;
  std::string message;
};

struct Plan {
  std::string device;
  std::vector<predict::Candidate> candidates;
  std::vector<PlanFailure> failures;
  std::optional<predict::Goal> goal;
  predict::Recommendation recommendation;  // when there is a goal
  const econ::Prices* prices = nullptr;    // not owned; outlives the plan
  double depth_tokens = 0, prompt_tokens = 0, decode_tokens = 0;
};

std::string plan_text(const Plan& plan);
std::string plan_csv(const Plan& plan);
std::string plan_json(const Plan& plan);

}  // namespace edgelm::apps
