// Windows against analytic integrals: gauges, counters, boundaries, gaps, and what must hold for
// any series.

#include "device/power/integrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "support/power_signals.h"

namespace edgelm::device {
namespace {

using test::PowerSignal;

std::int64_t ns(double seconds) { return std::llround(seconds * 1e9); }

SensorInfo gauge(double period_s = 0.1) {
  SensorInfo info;
  info.id = "gauge";
  info.period_s = period_s;
  return info;
}

SensorInfo counter(double period_s = 0.1) {
  SensorInfo info = gauge(period_s);
  info.id = "counter";
  info.counter = true;
  info.update_s = 0.001;
  return info;
}

// Readings of `signal` from t = 0, one per period.
std::vector<Reading> readings_of(const PowerSignal& signal, bool as_counter, double seconds,
                                 double period_s = 0.1, double offset_s = 0) {
  std::vector<Reading> readings;
  for (double t = offset_s; t <= seconds; t += period_s)
    readings.push_back({ns(t), as_counter ? signal.joules(t) : signal.watts(t), false});
  return readings;
}

TEST(Integrate, CountersGiveTheAnalyticIntegral) {
  for (const PowerSignal& signal : test::power_signals()) {
    const std::vector<Reading> readings = readings_of(signal, true, 60);
    // Boundaries on readings: exact, whatever the signal does in between.
    const Known<Energy> energy = integrate(readings, counter(), ns(7.3), ns(41.9));
    ASSERT_TRUE(energy) << signal.name << energy.error().reason;
    EXPECT_NEAR(energy->joules, signal.between(7.3, 41.9), 1e-6) << signal.name;
    EXPECT_EQ(energy->coverage, 1);
    EXPECT_FALSE(energy->low_confidence);
    EXPECT_NEAR(energy->mean_watts * energy->seconds, energy->joules, 1e-9);
  }
}

TEST(Integrate, GaugesGiveTheAnalyticIntegralWithinTheTrapezoidError) {
  for (const PowerSignal& signal : test::power_signals()) {
    const std::vector<Reading> readings = readings_of(signal, false, 60);
    const Known<Energy> energy = integrate(readings, gauge(), ns(7.33), ns(41.97));
    ASSERT_TRUE(energy) << signal.name;
    // Exact for straight lines. Of the sine: T h^2 / 12 max|P''|. Of the square wave: half a step
    // for each of its edges, which cancel in pairs up to one.
    const double omega = 2 * 3.14159265 / 7;
    const double bound = signal.name == "sine"     ? 34.64 * 0.01 / 12 * 2.5 * omega * omega
                         : signal.name == "square" ? 5.5 * 0.1
                                                   : 1e-6;
    EXPECT_NEAR(energy->joules, signal.between(7.33, 41.97), bound) << signal.name;
    // And within what it says itself (2 sigma).
    EXPECT_NEAR(energy->joules, signal.between(7.33, 41.97), 2 * energy->uncertainty + 1e-6);
  }
}

TEST(Integrate, BoundariesAreInterpolated) {
  const PowerSignal signal = test::ramp_power(1, 2);
  const Known<Energy> energy =
      integrate(readings_of(signal, false, 20, 1.0), gauge(1.0), ns(2.25), ns(14.75));
  ASSERT_TRUE(energy);
  EXPECT_NEAR(energy->joules, signal.between(2.25, 14.75), 1e-9);
  EXPECT_EQ(energy->n_samples, 12U);
  EXPECT_DOUBLE_EQ(energy->peak_watts, 29);
  // A counter between two readings: on the line, which for a steady power is exact.
  const PowerSignal steady = test::constant_power(3);
  const Known<Energy> counted =
      integrate(readings_of(steady, true, 20, 1.0), counter(1.0), ns(2.25), ns(14.75));
  ASSERT_TRUE(counted);
  EXPECT_NEAR(counted->joules, 37.5, 1e-9);
  EXPECT_NEAR(counted->peak_watts, 3, 1e-9);
}

TEST(Integrate, AdjacentWindowsAddUp) {
  std::mt19937 random(4711);
  std::uniform_real_distribution<double> step(0.05, 0.25);
  std::uniform_real_distribution<double> power(0, 40);
  for (const bool as_counter : {false, true}) {
    std::vector<Reading> readings;
    double t = 0;
    double joules = 0;
    for (int i = 0; i < 500; ++i, t += step(random)) {
      joules += power(random) * 0.1;
      readings.push_back({ns(t), as_counter ? joules : power(random), false});
    }
    std::uniform_real_distribution<double> moment(0, t);
    for (int i = 0; i < 200; ++i) {
      std::array<double, 3> cuts{moment(random), moment(random), moment(random)};
      std::sort(cuts.begin(), cuts.end());
      const double left = joules_between(readings, as_counter, ns(cuts[0]), ns(cuts[1]));
      const double right = joules_between(readings, as_counter, ns(cuts[1]), ns(cuts[2]));
      const double whole = joules_between(readings, as_counter, ns(cuts[0]), ns(cuts[2]));
      EXPECT_NEAR(left + right, whole, 1e-7 * (1 + whole));
      EXPECT_GE(left, 0);
    }
  }
}

TEST(Integrate, TooShortOrTooFewIsNotAvailable) {
  const std::vector<Reading> readings = readings_of(test::constant_power(5), false, 30);
  SensorInfo plug = gauge();
  plug.min_window_s = 10;
  const Known<Energy> brief = integrate(readings, plug, ns(1), ns(10.9));
  ASSERT_FALSE(brief);
  EXPECT_NE(brief.error().reason.find("repeat the phase"), std::string::npos);
  EXPECT_TRUE(integrate(readings, plug, ns(1), ns(11.1)));
  const Known<Energy> few = integrate(readings, gauge(), ns(1.02), ns(1.25), "timed out");
  ASSERT_FALSE(few);
  EXPECT_NE(few.error().reason.find("2 readings"), std::string::npos) << few.error().reason;
  EXPECT_NE(few.error().reason.find("timed out"), std::string::npos) << few.error().reason;
  EXPECT_FALSE(integrate(readings, gauge(), ns(5), ns(5)));
  EXPECT_FALSE(integrate({}, gauge(), ns(5), ns(50)));
  const Known<Energy> low = integrate(readings, gauge(), ns(1), ns(1.9));
  ASSERT_TRUE(low);
  EXPECT_TRUE(low->low_confidence) << "fewer than ten periods";
}

TEST(Integrate, GapsLowerCoverageAndThenConfidence) {
  std::vector<Reading> readings = readings_of(test::constant_power(5), false, 100);
  const auto without = [&readings](double from, double to) {
    std::vector<Reading> left;
    for (const Reading& reading : readings)
      if (reading.t_ns <= ns(from) || reading.t_ns >= ns(to)) left.push_back(reading);
    return left;
  };
  const Known<Energy> small = integrate(without(20, 30), gauge(), ns(0), ns(100));
  ASSERT_TRUE(small);
  EXPECT_NEAR(small->coverage, 0.9, 0.003);
  EXPECT_FALSE(small->low_confidence);
  const Known<Energy> large = integrate(without(20, 50), gauge(), ns(0), ns(100));
  ASSERT_TRUE(large);
  EXPECT_NEAR(large->coverage, 0.7, 0.003);
  EXPECT_TRUE(large->low_confidence);
  const Known<Energy> most = integrate(without(20, 80), gauge(), ns(0), ns(100), "ENODEV");
  ASSERT_FALSE(most);
  EXPECT_NE(most.error().reason.find("ENODEV"), std::string::npos);
}

TEST(Integrate, WhatLiesBeyondTheReadingsIsNotCovered) {
  const std::vector<Reading> readings = readings_of(test::constant_power(5), false, 10);
  const Known<Energy> within = integrate(readings, gauge(), ns(1), ns(10.2));
  ASSERT_TRUE(within) << "a reading that is late by less than three periods is no gap";
  EXPECT_NEAR(within->joules, 46, 1e-6);
  EXPECT_FALSE(integrate(readings, gauge(), ns(1), ns(30)));
}

TEST(Integrate, ACounterThatStandsStillHasStalled) {
  const PowerSignal signal = test::constant_power(8);
  std::vector<Reading> readings = readings_of(signal, true, 100);
  for (Reading& reading : readings) reading.value = std::min(reading.value, 8.0 * 40);
  const Known<Energy> stalled = integrate(readings, counter(), ns(50), ns(90));
  ASSERT_FALSE(stalled) << "not 0 J";
  const Known<Energy> partly = integrate(readings, counter(), ns(0), ns(60));
  ASSERT_TRUE(partly);
  EXPECT_NEAR(partly->coverage, 2.0 / 3, 0.01);
  EXPECT_TRUE(partly->low_confidence);
}

TEST(Integrate, NoWindowReachesOverARestart) {
  std::vector<Reading> readings = readings_of(test::constant_power(8), true, 20);
  readings[100].restart = true;  // at 10 s
  EXPECT_TRUE(integrate(readings, counter(), ns(1), ns(9.9)));
  EXPECT_FALSE(integrate(readings, counter(), ns(1), ns(9.95)));
  EXPECT_FALSE(integrate(readings, counter(), ns(9.95), ns(15)));
  EXPECT_TRUE(integrate(readings, counter(), ns(10), ns(15)));
  const Known<Energy> over = integrate(readings, counter(), ns(5), ns(15));
  ASSERT_FALSE(over);
  EXPECT_NE(over.error().reason.find("lost track"), std::string::npos);
}

TEST(Integrate, UncertaintyHasItsTerms) {
  const std::vector<Reading> readings = readings_of(test::constant_power(10), true, 100);
  SensorInfo info = counter();
  // Steady power: no step at the ends, nothing but the sensor itself ...
  info.relative_uncertainty = 0.03;
  EXPECT_NEAR(integrate(readings, info, ns(20), ns(80))->uncertainty, 0.03 * 600, 1e-6);
  // ... and its quantum.
  info.relative_uncertainty = 0;
  info.quantum = 2;
  EXPECT_NEAR(integrate(readings, info, ns(20), ns(80))->uncertainty, std::sqrt(2.0 / 3), 1e-6);
  // A step from 2 W to 10 W at both ends, unresolved within an update of 1 s: 8 W x 0.5 s, twice.
  info.quantum = 0;
  info.update_s = 1;
  std::vector<Reading> phase;
  for (double t = 0, joules = 0; t < 60; t += 0.1) {
    phase.push_back({ns(t), joules, false});
    joules += (t > 19.95 && t < 39.95 ? 10 : 2) * 0.1;
  }
  EXPECT_NEAR(integrate(phase, info, ns(20), ns(40))->uncertainty, std::sqrt(2.0) * 4, 1e-3);
}

TEST(Integrate, SamplingErrorIsWhatRepeatedSamplingShows) {
  // White noise of 1 W: the error of the mean of n samples is 1 / sqrt(n).
  std::mt19937 random(7);
  std::normal_distribution<double> noise(5, 1);
  double mean_error = 0;
  for (int i = 0; i < 50; ++i) {
    std::vector<double> samples(400);
    for (double& sample : samples) sample = noise(random);
    mean_error += standard_error_of_mean(samples) / 50;
  }
  EXPECT_NEAR(mean_error, 0.05, 0.005);
  // A plain trend is no noise.
  std::vector<double> ramp(100);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<double>(i);
  EXPECT_NEAR(standard_error_of_mean(ramp), 0, 1e-9);
}

TEST(Integrate, WattsOfACounterSkipRestartsAndHurriedReadings) {
  std::vector<Reading> readings = readings_of(test::constant_power(8), true, 2);
  // A reading forced right after another, before the counter moved.
  readings.insert(readings.begin() + 6, {readings[5].t_ns + 1000, readings[5].value, false});
  readings[10].restart = true;
  const std::vector<Reading> watts = as_watts(readings, counter());
  ASSERT_GT(watts.size(), 15U);
  for (const Reading& sample : watts) EXPECT_NEAR(sample.value, 8, 1e-6);
}

}  // namespace
}  // namespace edgelm::device
