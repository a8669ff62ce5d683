#pragma once
// One group of reference rows with their models laid out, and the fit of each part of a profile to
// it. Internal to the fit: fit.cpp composes them.

#include <optional>
#include <string>
#include <vector>

#include "predict/model.h"
#include "predict/profile.h"
#include "predict/reference_data.h"

namespace edgelm::predict {

struct FitRow {
  const ReferenceRow* row = nullptr;
  Model model;
};

struct FitGroup {
  std::string device, engine, version, power_mode;
  bool gpu = false;
  double gpu_mhz = 0;  // of the power mode; 0: not told
  std::vector<FitRow> rows;

  // Without the rows of `model`.
  [[nodiscard]] FitGroup without(const std::string& model) const;
  [[nodiscard]] std::vector<std::string> models() const;
};

// What the power modes of one GPU share: issuing weights goes with its clock, and so do launches.
struct GpuPrior {
  double weights_per_cycle = 0;
  double layer_overhead_cycles = 0;
};

// Bandwidth per thread count, rate per type, overheads, attention while decoding.
// `prior` comes from the other power modes; nullptr when there is none.
void fit_decode(const FitGroup& group, const GpuPrior* prior, Profile& profile);
// Multiply-adds per type and thread count, attention, overhead of a prompt.
void fit_prefill(const FitGroup& group, Profile& profile);
// Coefficients of the power model, on top of a profile whose speeds are fitted.
void fit_power(const FitGroup& group, Profile& profile);

}  // namespace edgelm::predict
