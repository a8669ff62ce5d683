#pragma once
// How good the predictor is: held-out errors per device, the targets it was built for, and the rows
// of degraded states beside what it says of them. `edgelm plan --validate` prints it.

#include <string>
#include <vector>

#include "base/result.h"
#include "predict/fit.h"

namespace edgelm::predict {

struct ErrorLine {
  std::string device, engine, power_mode;
  Quantity quantity = Quantity::kDecode;
  std::size_t n = 0;
  double median = 0;  // absolute, relative to what was measured
  double worst = 0;   // signed
  std::string worst_row;
};

struct Target {
  std::string name;
  std::string wanted;
  std::string got;
  bool holds = false;
};

// A row on one side of the memory cliff.
struct CliffRow {
  const ReferenceRow* row = nullptr;
  double touched_gb = 0;
  double usable_gb = 0;
  bool fits = false;      // predicted
  bool ran_full = false;  // measured: neither paging nor evicting
};

struct DegradedRow {
  const ReferenceRow* row = nullptr;
  double predicted_tps = 0;  // of a device in good state
};

struct Validation {
  std::vector<ErrorLine> errors;
  std::vector<Target> targets;
  std::vector<CliffRow> cliff;
  std::vector<DegradedRow> degraded;
};

Result<Validation> validate(const std::vector<ReferenceRow>& rows);

std::string validation_text(const Validation& validation);

}  // namespace edgelm::predict
