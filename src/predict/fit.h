#pragma once
// Fits the constants of the speed model to the reference data, a group of rows (one engine on one
// board in one power mode) at a time, and says how far off it is on models that it has not seen:
// each model is held out once. Used by `edgelm plan --fit` and --validate.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "predict/profile.h"
#include "predict/reference_data.h"

namespace edgelm::predict {

enum class Quantity : std::uint8_t { kDecode, kPrefill, kWatts, kJoulesPerToken };
std::string_view quantity_name(Quantity quantity);

// One figure of one row, predicted from the other models of its group.
struct HeldOut {
  const ReferenceRow* row = nullptr;
  Quantity quantity = Quantity::kDecode;
  double measured = 0;
  double predicted = 0;
  [[nodiscard]] double relative_error() const { return predicted / measured - 1; }
};

struct FitResult {
  Profile profile;
  std::vector<HeldOut> held_out;
};

// Rows whose state is "" (and prefill of "phase" cells), by board, engine and power mode, in order
// of the table. Groups of a single model are not fitted: nothing could be held out. `rows` must
// outlive the result.
std::vector<FitResult> fit_all(const std::vector<ReferenceRow>& rows);

// The engine of a row as profiles name it: llama.cpp's builds of 2024 pack no weights and are
// another engine ("llama.cpp 2024").
std::string engine_of(const ReferenceRow& row);

// Positions in the cache in the middle of a row's decode phase, and its prompt, where not told.
double positions_of(const ReferenceRow& row);
double prompt_of(const ReferenceRow& row);

}  // namespace edgelm::predict
