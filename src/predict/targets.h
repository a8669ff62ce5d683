#pragma once
// What the predictor has to reach, checked. Internal to the validation.

#include <vector>

#include "predict/validate.h"

namespace edgelm::predict {

Result<std::vector<Target>> targets_of(const std::vector<ReferenceRow>& rows,
                                       const std::vector<FitResult>& fits,
                                       const std::vector<CliffRow>& cliff);

double median_of(std::vector<double> values);  // 0 when empty

}  // namespace edgelm::predict
