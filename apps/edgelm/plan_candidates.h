#pragma once
// Every model on every profile that was asked for, with its economics and what is known of its
// quality. Used by add_plan.cpp.

#include <map>
#include <optional>
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

// Score per model, higher is better, of the task that most models have.
struct QualityTable {
  std::string task;
  std::map<std::string, double> scores;
};

// What is known before the device is: a name that is nothing is refused before this device is
// measured.
struct PlanModels {
  struct Named {
    std::string name;
    Result<predict::Model> model;
  };
  std::vector<Named> models;
  std::optional<QualityTable> quality;
};

// Fails when no model could be described, or with the quality file.
Result<PlanModels> describe_models(const PlanRequest& request);

// kNotFound for an engine or a power mode that is not known for the device, with those that are.
Result<std::vector<const predict::Profile*>> choose_profiles(const predict::Device& device,
                                                             const PlanRequest& request);

// `prices` must outlive the result. Fails only when no model could be planned.
Result<Plan> make_plan(const predict::Device& device, const PlanRequest& request,
                       const PlanModels& models, const econ::Prices& prices);

}  // namespace edgelm::apps
