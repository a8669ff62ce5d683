// Levenberg-Marquardt with Marquardt's scaling: D. Marquardt, SIAM J. Appl. Math. 11 (1963).

#include "predict/least_squares.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace edgelm::predict {
namespace {

using Vector = std::vector<double>;

double sum_of_squares(const Vector& values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return sum;
}

Vector with_priors(const Residuals& residuals, const std::vector<Parameter>& parameters,
                   const Vector& x) {
  Vector r = residuals(x);
  r.reserve(r.size() + x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    r.push_back((x[i] - parameters[i].prior) / parameters[i].sd);
  return r;
}

}  // namespace

bool solve(std::vector<Vector>& matrix, Vector& right) {
  const std::size_t n = right.size();
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t k = i + 1; k < n; ++k)
      if (std::abs(matrix[k][i]) > std::abs(matrix[pivot][i])) pivot = k;
    if (!(std::abs(matrix[pivot][i]) > 1e-300)) return false;
    std::swap(matrix[i], matrix[pivot]);
    std::swap(right[i], right[pivot]);
    for (std::size_t k = i + 1; k < n; ++k) {
      const double factor = matrix[k][i] / matrix[i][i];
      for (std::size_t l = i; l < n; ++l) matrix[k][l] -= factor * matrix[i][l];
      right[k] -= factor * right[i];
    }
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) right[i] -= matrix[i][k] * right[k];
    right[i] /= matrix[i][i];
  }
  return true;
}

Vector least_squares(const Residuals& residuals, const std::vector<Parameter>& parameters) {
  constexpr int kSteps = 100;
  constexpr double kDelta = 1e-5;
  const std::size_t n = parameters.size();
  Vector x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = parameters[i].start;
  Vector r = with_priors(residuals, parameters, x);
  double cost = sum_of_squares(r);
  double damping = 1e-2;
  for (int step = 0; step < kSteps; ++step) {
    std::vector<Vector> jacobian(n);  // by parameter
    for (std::size_t j = 0; j < n; ++j) {
      Vector moved = x;
      moved[j] += kDelta;
      jacobian[j] = with_priors(residuals, parameters, moved);
      for (std::size_t k = 0; k < r.size(); ++k) jacobian[j][k] = (jacobian[j][k] - r[k]) / kDelta;
    }
    std::vector<Vector> normal(n, Vector(n));
    Vector gradient(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j)
        for (std::size_t k = 0; k < r.size(); ++k) normal[i][j] += jacobian[i][k] * jacobian[j][k];
      for (std::size_t k = 0; k < r.size(); ++k) gradient[i] -= jacobian[i][k] * r[k];
    }
    double gained = -1;
    for (int tries = 0; tries < 12 && gained < 0; ++tries) {
      std::vector<Vector> damped = normal;
      Vector move = gradient;
      for (std::size_t i = 0; i < n; ++i) damped[i][i] += damping * (normal[i][i] + 1e-12);
      if (solve(damped, move)) {
        Vector moved = x;
        for (std::size_t i = 0; i < n; ++i) moved[i] += move[i];
        Vector r_moved = with_priors(residuals, parameters, moved);
        const double cost_moved = sum_of_squares(r_moved);
        if (cost_moved <= cost) {  // false for NaN
          gained = cost - cost_moved;
          x = std::move(moved);
          r = std::move(r_moved);
          cost = cost_moved;
          damping = std::max(damping / 5, 1e-12);
          continue;
        }
      }
      damping *= 5;
    }
    if (gained < 1e-14 * (cost + 1e-30)) break;
  }
  return x;
}

Vector non_negative_least_squares(const std::vector<Vector>& rows, const Vector& y) {
  if (rows.empty()) return {};
  const std::size_t n = rows.front().size();
  std::vector<Vector> normal(n, Vector(n));
  Vector right(n);
  for (std::size_t k = 0; k < rows.size(); ++k)
    for (std::size_t i = 0; i < n; ++i) {
      right[i] += rows[k][i] * y[k];
      for (std::size_t j = 0; j < n; ++j) normal[i][j] += rows[k][i] * rows[k][j];
    }
  Vector c(n);
  for (int sweep = 0; sweep < 20'000; ++sweep) {
    double moved = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (!(normal[i][i] > 0)) continue;
      double value = right[i];
      for (std::size_t j = 0; j < n; ++j)
        if (j != i) value -= normal[i][j] * c[j];
      value = std::max(0.0, value / normal[i][i]);
      moved = std::max(moved, std::abs(value - c[i]));
      c[i] = value;
    }
    if (moved < 1e-12) break;
  }
  return c;
}

}  // namespace edgelm::predict
