#pragma once
// Every model on every profile that was asked for, with its economics and what is known of its
// quality. Used by add_plan.cpp.

#include <map>
#include <string>
#include <vector>

#include "apps/edgelm/plan.h"
#include "base/result.h"
#include "predict/predict.h"

namespace edgelm::apps {

struct PlanRequest {
  std::vector<std::string> models;
  predict::Request request;
  std::string engine;                    // "": the device's first
  std::vector<std::string> power_modes;  // empty: the current one, or all when there is a goal
  std::optional<predict::Goal> goal;
  std::string quality_file;  // quality records, one JSON text per line
  std::string prices_file;
};

// kNotFound for an engine or a power mode that is not known for the device, with those that are.
Result<std::vector<const predict::Profile*>> choose_profiles(const predict::Device& device,
                                                             const PlanRequest& request);

// `prices` must outlive the result. Fails only when no model could be planned.
Result<Plan> make_plan(const predict::Device& device, const PlanRequest& request,
                       const econ::Prices& prices);

}  // namespace edgelm::apps
