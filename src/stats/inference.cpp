// Wilson, paired t, sign test.

#include "stats/inference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace edgelm::stats {
namespace {

constexpr double kNormal975 = 1.959963984540054;

// Regularized incomplete beta function I_x(a, b) by its continued fraction (Lentz's method; DLMF
// 8.17.22), on the side where it converges fast.
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x)) /
                       a;
  constexpr double kTiny = 1e-300;
  double c = 1;
  double d = 1 / std::max(1 - (a + b) * x / (a + 1), kTiny);
  double fraction = d;
  for (int m = 1; m < 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double step = 1;
    for (const double term : {even, odd}) {
      d = 1 + term * d;
      c = 1 + term / c;
      if (std::abs(d) < kTiny) d = kTiny;
      if (std::abs(c) < kTiny) c = kTiny;
      d = 1 / d;
      step = c * d;
      fraction *= step;
    }
    if (std::abs(step - 1) < 1e-15) break;
  }
  return front * fraction;
}

}  // namespace

Interval wilson(std::uint64_t successes, std::uint64_t n) {
  if (n == 0) return {0, 1};
  const auto count = static_cast<double>(n);
  const double share = static_cast<double>(std::min(successes, n)) / count;
  const double z2 = kNormal975 * kNormal975;
  const double centre = (share + z2 / (2 * count)) / (1 + z2 / count);
  const double half = kNormal975 / (1 + z2 / count) *
                      std::sqrt(share * (1 - share) / count + z2 / (4 * count * count));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

double student_two_sided(double t, double degrees) {
  if (std::isnan(t)) return 1;
  if (std::isinf(t)) return 0;
  return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
}

double student_975(double degrees) {
  double low = 0;
  double high = 13;  // 12.706 for one degree of freedom
  for (int i = 0; i < 100; ++i) {
    const double middle = 0.5 * (low + high);
    (student_two_sided(middle, degrees) > 0.05 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

PairedDifference paired_difference(std::span<const double> a, std::span<const double> b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  PairedDifference result;
  result.n = std::min(a.size(), b.size());
  const auto n = static_cast<double>(result.n);
  for (std::size_t i = 0; i < result.n; ++i) result.mean += (a[i] - b[i]) / n;
  if (result.n < 2) {
    result.low = -kInfinity;
    result.high = kInfinity;
    return result;
  }
  double squares = 0;
  for (std::size_t i = 0; i < result.n; ++i) {
    const double distance = a[i] - b[i] - result.mean;
    squares += distance * distance;
  }
  result.standard_error = std::sqrt(squares / (n - 1) / n);
  const double half = student_975(n - 1) * result.standard_error;
  result.low = result.mean - half;
  result.high = result.mean + half;
  if (result.standard_error > 0) {
    result.p_value = student_two_sided(result.mean / result.standard_error, n - 1);
  } else {
    result.p_value = result.mean == 0 ? 1 : 0;
  }
  return result;
}

double sign_test(std::uint64_t fewer, std::uint64_t n) {
  if (n == 0) return 1;
  fewer = std::min(fewer, n - std::min(fewer, n));
  const auto count = static_cast<double>(n);
  double tail = 0;
  for (std::uint64_t k = 0; k <= fewer; ++k) {
    const auto heads = static_cast<double>(k);
    tail += std::exp(std::lgamma(count + 1) - std::lgamma(heads + 1) -
                     std::lgamma(count - heads + 1) - count * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

}  // namespace edgelm::stats
