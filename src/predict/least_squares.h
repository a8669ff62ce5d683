#pragma once
// Nonlinear least squares with priors (Levenberg-Marquardt, numeric derivatives), for the few
// constants of a device's profile. Deterministic: the same data give the same constants.

#include <functional>
#include <vector>

namespace edgelm::predict {

struct Parameter {
  double start = 0;
  double prior = 0;  // where it lies when the data say nothing
  double sd = 1;     // how sure that is, in units of residuals of sd 1
};

// Residuals are in units of their own standard deviation.
using Residuals = std::function<std::vector<double>(const std::vector<double>& parameters)>;

std::vector<double> least_squares(const Residuals& residuals,
                                  const std::vector<Parameter>& parameters);

// Solves a (symmetric or not) system in place; false when it is singular.
bool solve(std::vector<std::vector<double>>& matrix, std::vector<double>& right);

// Coefficients >= 0 that minimise |X c - y|^2: coordinate descent to a fixed point.
std::vector<double> non_negative_least_squares(const std::vector<std::vector<double>>& rows,
                                               const std::vector<double>& y);

}  // namespace edgelm::predict
