// The protocol of a phase on scripted runs, power and time.

#include "measure/phase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "measure/series.h"
#include "support/scripted_recorder.h"

namespace edgelm::measure {
namespace {

using ::testing::HasSubstr;

class Phase : public ::testing::Test {
 protected:
  Phase() {
    recorder_.set_watts(2);
    task_.name = "decode";
    task_.run = [this]() -> Result<TimedRun> {
      const double seconds = next_ < seconds_.size() ? seconds_[next_] : seconds_.back();
      ++next_;
      recorder_.set_watts(10);
      time_.pass(seconds);
      recorder_.set_watts(2);
      return TimedRun{.tokens = 10, .seconds = seconds};
    };
  }
  Result<PhaseResult> run() {
    return run_phase(task_, pace_, recorder_,
                     {[this] { return time_.now_ns; }, [this](double s) { time_.pass(s); }});
  }

  test::ScriptedTime time_;
  test::ScriptedRecorder recorder_{time_};
  std::vector<double> seconds_ = {0.1};  // of each run; the last one for all that follow
  std::size_t next_ = 0;
  PhaseTask task_;
  Pace pace_;
};

TEST_F(Phase, WarmUpEndsWhenRatesSettle) {
  seconds_ = {0.5, 0.3, 0.2, 0.1};
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->warmups, 6U);  // three of 0.1 s
  EXPECT_TRUE(result->settled);
  EXPECT_EQ(result->runs.size(), 5U);  // equal rates: precise at the least number
  EXPECT_TRUE(result->precise);
  EXPECT_DOUBLE_EQ(result->tokens_per_s.median, 100);
}

TEST_F(Phase, WarmUpThatNeverSettlesIsCapped) {
  seconds_.clear();
  for (int i = 0; i < 200; ++i) seconds_.push_back(i % 2 == 0 ? 0.010 : 0.012);
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->warmups, pace_.max_warmups);
  EXPECT_FALSE(result->settled);
  EXPECT_THAT(result->unsettled, HasSubstr("10 warm-up runs"));
  EXPECT_EQ(result->runs.size(), 40U);  // half fast, half slow: never precise
  EXPECT_FALSE(result->precise);
}

TEST_F(Phase, RepeatsUntilTheMedianIsKnown) {
  Random random(3);
  seconds_.clear();
  for (int i = 0; i < 200; ++i) seconds_.push_back(0.1 * (0.97 + 0.06 * random.unit()));
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->precise);
  EXPECT_GE(result->runs.size(), 5U);
  EXPECT_LT(result->runs.size(), 40U);
  EXPECT_LE(relative_precision(result->tokens_per_s), 0.02);
}

TEST_F(Phase, TheBudgetEndsSlowPhasesAfterThree) {
  seconds_ = {20};
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->warmups, 1U);
  EXPECT_THAT(result->unsettled, HasSubstr("no time"));
  EXPECT_EQ(result->runs.size(), 3U);
}

TEST_F(Phase, FewRepetitionsAreAskedFor) {
  pace_.max_repetitions = 2;
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->warmups, 1U);
  EXPECT_EQ(result->runs.size(), 2U);
  EXPECT_EQ(result->unsettled, "one warm-up run alone, for 2 repetitions");
  pace_.max_repetitions = 1;
  EXPECT_EQ(run()->unsettled, "one warm-up run alone, for 1 repetition");
}

TEST_F(Phase, EnergyOfShortRunsInOneWindow) {
  recorder_.info.min_window_s = 2;
  recorder_.info.period_s = 0.1;
  const auto result = run();
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->energy.gross);
  EXPECT_NEAR(result->energy.gross->seconds, 2.1, 0.101);
  EXPECT_DOUBLE_EQ(result->energy.tokens, 10 * std::round(result->energy.gross->seconds / 0.1));
  // 10 W over the whole window: nothing lies between the runs.
  EXPECT_NEAR(result->energy.gross->joules / result->energy.tokens, 10 * 0.1 / 10, 1e-9);
  const Known<device::Net> net =
      device::net_energy(result->energy.gross, device::Idle{.watts = 2}, not_available("x"));
  ASSERT_TRUE(net);
  EXPECT_NEAR(net->joules / result->energy.tokens, (10 - 2) * 0.1 / 10, 1e-9);
}

TEST_F(Phase, TheProbeIsNoPartOfTheEnergyWindow) {
  recorder_.info.min_window_s = 1;
  task_.before_repetition = [this] {
    recorder_.set_watts(500);
    time_.pass(1);
    recorder_.set_watts(2);
  };
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->energy.gross->mean_watts, 10, 1e-9);
  EXPECT_DOUBLE_EQ(result->tokens_per_s.median, 100);  // nor of the rates
}

TEST_F(Phase, WithoutASensorEnergyHasTheReason) {
  recorder_.has_sensor = false;
  const auto result = run();
  ASSERT_TRUE(result);
  ASSERT_FALSE(result->energy.gross);
  EXPECT_EQ(result->energy.gross.error().reason, "no power sensor on this device");
}

TEST_F(Phase, ASensorThatNeedsTooLongGetsNoWindow) {
  recorder_.info.min_window_s = 300;
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_THAT(result->energy.gross.error().reason, HasSubstr("windows of 315 s"));
  EXPECT_EQ(next_, result->warmups + result->runs.size());
}

TEST_F(Phase, IdleIsMeasuredAfterSettling) {
  const Clock clock{[this] { return time_.now_ns; }, [this](double s) { time_.pass(s); }};
  recorder_.set_watts(3.5);
  const std::int64_t before = time_.now_ns;
  const Known<device::Idle> idle = measure_idle(pace_, recorder_, clock);
  ASSERT_TRUE(idle);
  EXPECT_DOUBLE_EQ(idle->watts, 3.5);
  EXPECT_EQ(time_.now_ns - before, 7'000'000'000);
  recorder_.has_sensor = false;
  EXPECT_EQ(measure_idle(pace_, recorder_, clock).error().reason, "no power sensor on this device");
}

TEST_F(Phase, NobodyWaitsForADeadSensor) {
  const Clock clock{[this] { return time_.now_ns; }, [this](double s) { time_.pass(s); }};
  recorder_.info.min_window_s = 60;
  recorder_.dies_at_ns = time_.now_ns + 10'000'000'000;
  const Known<device::Idle> idle = measure_idle(pace_, recorder_, clock);
  ASSERT_FALSE(idle);
  EXPECT_EQ(idle.error().reason, "the sensor died");
  EXPECT_LE(time_.now_ns, recorder_.dies_at_ns + 1'000'000'000) << "it died in the window";
  const std::int64_t before = time_.now_ns;
  EXPECT_FALSE(measure_idle(pace_, recorder_, clock));
  EXPECT_EQ(time_.now_ns, before) << "it was dead before the window";
  Result<PhaseResult> result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->energy.gross.error().reason, "the sensor died");
  EXPECT_EQ(next_, result->warmups + result->runs.size());
  EXPECT_DOUBLE_EQ(result->tokens_per_s.median, 100);
  recorder_.dies_at_ns = time_.now_ns + 5'000'000'000;
  result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->energy.gross.error().reason, "the sensor died");
  EXPECT_LE(time_.now_ns, recorder_.dies_at_ns + 1'000'000'000);
}

TEST_F(Phase, AFailingRunEndsThePhase) {
  task_.run = []() -> Result<TimedRun> { return fail(ErrorCode::kIo, "gone"); };
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "gone");
}

TEST(SeriesOfSamples, DriftAndOutliersAreFlagged) {
  std::vector<double> samples;
  std::vector<double> times;
  for (int i = 0; i < 12; ++i) {
    samples.push_back(100 - 0.5 * i);  // down by 5.5 % in 11 s
    times.push_back(i);
  }
  const Series falling = make_series(samples, times);
  EXPECT_TRUE(falling.drifting);
  EXPECT_NEAR(falling.slope_per_s, -0.005, 0.0002);
  for (std::size_t i = 0; i < 12; ++i) samples[i] = 100 + 0.1 * static_cast<double>(i % 3);
  samples[4] = 60;
  const Series steady = make_series(samples, times);
  EXPECT_FALSE(steady.drifting);
  EXPECT_EQ(steady.outliers, std::vector<std::uint32_t>{4});
  EXPECT_EQ(steady.samples.size(), 12U);
}

}  // namespace
}  // namespace edgelm::measure
