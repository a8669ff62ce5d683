#pragma once
// Powers over time whose integral is known in closed form: the oracle of every energy test.

#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

namespace edgelm::test {

struct PowerSignal {
  std::string name;
  std::function<double(double t)> watts;
  std::function<double(double t)> joules;  // from 0 to t
  [[nodiscard]] double between(double a, double b) const { return joules(b) - joules(a); }
};

inline PowerSignal constant_power(double watts) {
  return {"constant", [=](double) { return watts; }, [=](double t) { return watts * t; }};
}

inline PowerSignal ramp_power(double start, double per_s) {
  return {"ramp", [=](double t) { return start + per_s * t; },
          [=](double t) { return start * t + per_s * t * t / 2; }};
}

// `high` in the first half of each period, then `low`.
inline PowerSignal square_power(double low, double high, double period_s) {
  return {"square", [=](double t) { return std::fmod(t, period_s) < period_s / 2 ? high : low; },
          [=](double t) {
            const double full = std::floor(t / period_s);
            const double rest = t - full * period_s;
            const double half = period_s / 2;
            return full * half * (low + high) + std::fmin(rest, half) * high +
                   std::fmax(rest - half, 0) * low;
          }};
}

inline PowerSignal sine_power(double mean, double amplitude, double period_s) {
  const double omega = 2 * std::numbers::pi / period_s;
  return {"sine", [=](double t) { return mean + amplitude * std::sin(omega * t); },
          [=](double t) { return mean * t + amplitude / omega * (1 - std::cos(omega * t)); }};
}

inline std::vector<PowerSignal> power_signals() {
  return {constant_power(5.2), ramp_power(2, 0.25), square_power(2, 7.5, 4), sine_power(6, 2.5, 7)};
}

}  // namespace edgelm::test
