// The idle baseline and net energy.

#include "device/power/idle.h"

#include <gtest/gtest.h>

#include <random>

#include "device/power/stepped_recorder.h"
#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;
using test::VirtualTime;

Energy gross(double joules, double seconds) {
  Energy energy;
  energy.joules = joules;
  energy.seconds = seconds;
  energy.mean_watts = joules / seconds;
  energy.uncertainty = 0.02 * joules;
  return energy;
}

Idle idle(double watts, double mad = 0) { return {watts, mad, 30, 300}; }

TEST(Idle, MedianAndSpreadOfAWindow) {
  std::vector<Reading> watts;
  watts.reserve(100);
  for (int i = 0; i < 100; ++i)
    watts.push_back({i * 100'000'000LL, i == 50 ? 30.0 : 2.0 + 0.1 * (i % 3), false});
  const Known<Idle> all = idle_of(watts, 0, 10'000'000'000);
  ASSERT_TRUE(all);
  EXPECT_NEAR(all->watts, 2.1, 1e-9) << "a spike does not count";
  EXPECT_NEAR(all->mad, 0.1, 1e-9);
  EXPECT_EQ(all->n_samples, 100U);
  EXPECT_FALSE(idle_of(watts, 0, 150'000'000));
}

TEST(Idle, NetIsGrossLessTheBaseline) {
  const Known<Net> net = net_energy(gross(600, 100), idle(2.0), idle(2.1));
  ASSERT_TRUE(net);
  EXPECT_NEAR(net->joules, 600 - 205, 1e-9);
  EXPECT_NEAR(net->drift, 0.1 / 2.05, 1e-9);
  EXPECT_FALSE(net->low_confidence);
  EXPECT_NEAR(net->uncertainty, std::hypot(12.0, 0.05 * 100), 1e-9);
  EXPECT_TRUE(net_energy(gross(600, 100), idle(2.0), idle(2.3))->low_confidence) << "drift of 14 %";
  const Known<Net> one = net_energy(gross(600, 100), not_available("cut"), idle(2));
  ASSERT_TRUE(one);
  EXPECT_TRUE(one->low_confidence);
  EXPECT_NEAR(one->joules, 400, 1e-9);
}

TEST(Idle, WithoutGrossOrBaselineThereIsNoNet) {
  EXPECT_EQ(net_energy(not_available("no sensor"), idle(2), idle(2)).error().reason, "no sensor");
  EXPECT_EQ(net_energy(gross(1, 1), not_available("cut"), not_available("too")).error().reason,
            "cut");
}

TEST(Idle, NetIsNeverAboveGross) {
  std::mt19937 random(99);
  std::uniform_real_distribution<double> watts(0, 50);
  for (int i = 0; i < 1000; ++i) {
    const Energy energy = gross(watts(random) * 10, 10);
    const Known<Net> net = net_energy(energy, idle(watts(random), 1), idle(watts(random), 1));
    EXPECT_LE(net->joules, energy.joules);
    EXPECT_GE(net->uncertainty, energy.uncertainty);
  }
}

class ConstantSource final : public EnergySource {
 public:
  ConstantSource(SensorInfo info, const VirtualTime& time) : info_(std::move(info)), time_(time) {}
  const SensorInfo& info() const override { return info_; }
  Result<Reading> read() override { return Reading{time_.ns, 2.5, false}; }

 private:
  SensorInfo info_;
  const VirtualTime& time_;
};

TEST(Idle, MeasuresAsLongAsTheSensorNeeds) {
  for (const auto& [period_s, min_window_s, expected_s] :
       {std::tuple{0.1, 2.0, 30.0}, {1.0, 10.0, 60.0}, {2.0, 300.0, 300.0}}) {
    const ScriptedFiles files;
    VirtualTime time;
    SensorInfo info;
    info.id = "test";
    info.period_s = period_s;
    info.min_window_s = min_window_s;
    SteppedRecorder recorder(std::make_unique<ConstantSource>(info, time), "", files,
                             {time.clock(), [] { return 0; }, 1e9, nullptr});
    double slept = 0;
    const auto sleep = [&](double seconds) {
      slept += seconds;
      const std::int64_t until = time.ns + static_cast<std::int64_t>(seconds * 1e9);
      while (recorder.next_due() < until) {
        time.ns = std::max(time.ns + 1, recorder.next_due());
        recorder.step();
      }
      time.ns = until;
      return true;
    };
    const Known<Idle> baseline = measure_idle(recorder, sleep);
    ASSERT_TRUE(baseline) << baseline.error().reason;
    EXPECT_DOUBLE_EQ(baseline->watts, 2.5);
    EXPECT_DOUBLE_EQ(slept, kSettleSeconds + expected_s);
    EXPECT_FALSE(measure_idle(recorder, [](double) { return false; })) << "interrupted";
  }
  const ScriptedFiles files;
  SteppedRecorder none(nullptr, "no sensor here", files);
  EXPECT_EQ(measure_idle(none, [](double) { return true; }).error().reason, "no sensor here");
}

}  // namespace
}  // namespace edgelm::device
