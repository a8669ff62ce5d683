// When what is read and what becomes of it: stepped with a virtual clock, and the thread itself
// with sources that answer at once, slowly and never well.

#include "device/power/recorder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "device/power/stepped_recorder.h"
#include "os/clock.h"
#include "support/power_signals.h"
#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::PowerSignal;
using test::ScriptedFiles;
using test::VirtualTime;

// A source that is a function.
class FunctionSource final : public EnergySource {
 public:
  FunctionSource(SensorInfo info, std::function<Result<Reading>()> read)
      : info_(std::move(info)), read_(std::move(read)) {}
  const SensorInfo& info() const override { return info_; }
  Result<Reading> read() override { return read_(); }

 private:
  SensorInfo info_;
  std::function<Result<Reading>()> read_;
};

SensorInfo sensor(bool counter, double period_s = 0.1) {
  SensorInfo info;
  info.id = "test";
  info.counter = counter;
  info.period_s = period_s;
  return info;
}

class RecorderTest : public testing::Test {
 protected:
  std::unique_ptr<SteppedRecorder> make(SensorInfo info, std::function<Result<Reading>()> read) {
    return std::make_unique<SteppedRecorder>(
        std::make_unique<FunctionSource>(std::move(info), std::move(read)), "", files_,
        RecorderOptions{time_.clock(), [this] { return suspended_; }, 1.0, nullptr});
  }
  std::unique_ptr<SteppedRecorder> follow(const PowerSignal& signal, bool counter) {
    return make(sensor(counter), [this, signal, counter]() -> Result<Reading> {
      const double value = counter ? signal.joules(time_.s()) : signal.watts(time_.s());
      return Reading{time_.ns, value, false};
    });
  }
  void run(SteppedRecorder& recorder, double seconds) {
    const std::int64_t until = time_.ns + static_cast<std::int64_t>(seconds * 1e9);
    while (recorder.next_due() <= until) {
      time_.ns = std::max(time_.ns + 1, recorder.next_due());
      recorder.step();
    }
    time_.ns = until;
  }

  VirtualTime time_;
  std::int64_t suspended_ = 0;
  ScriptedFiles files_;
};

TEST_F(RecorderTest, MarksBoundWindowsExactly) {
  for (const bool counter : {true, false}) {
    for (const PowerSignal& signal : test::power_signals()) {
      const auto recorder = follow(signal, counter);
      run(*recorder, 3.37);
      const double begin_s = time_.s();
      const std::int64_t begin = recorder->mark();
      EXPECT_EQ(begin, time_.ns);
      run(*recorder, 20.01);
      const double end_s = time_.s();
      const std::int64_t end = recorder->mark();
      run(*recorder, 2);
      const Known<Energy> energy = recorder->energy(begin, end);
      ASSERT_TRUE(energy) << signal.name;
      const double bound = counter ? 1e-6 : signal.name == "square" ? 5.5 * 0.1 : 0.02;
      EXPECT_NEAR(energy->joules, signal.between(begin_s, end_s), bound) << signal.name;
      EXPECT_GT(energy->n_samples, 200U);
    }
  }
}

TEST_F(RecorderTest, WithoutASourceTheReasonIsKept) {
  SteppedRecorder recorder(nullptr, "turned off", files_,
                           {time_.clock(), [] { return 0; }, 1.0, nullptr});
  const std::int64_t begin = recorder.mark();
  run(recorder, 5);
  const Known<Energy> energy = recorder.energy(begin, recorder.mark());
  ASSERT_FALSE(energy);
  EXPECT_EQ(energy.error().reason, "turned off");
  EXPECT_EQ(recorder.sensor(), nullptr);
  EXPECT_TRUE(recorder.watts().empty());
  EXPECT_FALSE(recorder.states().empty()) << "state is sampled all the same";
}

TEST_F(RecorderTest, ASensorThatVanishesAndComesBackLeavesAGap) {
  bool gone = false;
  const auto recorder = make(sensor(false), [&]() -> Result<Reading> {
    if (gone) return fail(ErrorCode::kIo, "in1_input: No such device");
    return Reading{time_.ns, 4, false};
  });
  const std::int64_t begin = recorder->mark();
  run(*recorder, 10);
  gone = true;
  run(*recorder, 4);
  const std::int64_t while_gone = recorder->mark();
  run(*recorder, 6);
  gone = false;
  run(*recorder, 10);
  const std::int64_t end = recorder->mark();
  const Known<Energy> whole = recorder->energy(begin, end);
  ASSERT_TRUE(whole);
  EXPECT_NEAR(whole->coverage, 2.0 / 3, 0.02);
  EXPECT_TRUE(whole->low_confidence);
  const Known<Energy> missing = recorder->energy(while_gone - 3'000'000'000, while_gone);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().reason.find("No such device"), std::string::npos);
}

TEST_F(RecorderTest, ASensorThatIsSilentForSeveralPeriodsHasFailed) {
  bool gone = false;
  const auto recorder = make(sensor(false, 1.0), [&]() -> Result<Reading> {
    if (gone) return fail(ErrorCode::kIo, "nobody listens");
    return Reading{time_.ns, 4, false};
  });
  run(*recorder, 20);
  EXPECT_EQ(recorder->failure(), "");
  gone = true;
  run(*recorder, 5);
  EXPECT_EQ(recorder->failure(), "") << "a radio may be gone for some seconds";
  run(*recorder, 5);
  EXPECT_NE(recorder->failure().find("test has failed: no new reading"), std::string::npos);
  EXPECT_NE(recorder->failure().find("nobody listens"), std::string::npos);
  gone = false;
  run(*recorder, 2);
  EXPECT_EQ(recorder->failure(), "") << "it came back";
}

TEST_F(RecorderTest, ACounterThatMeasuresNoEnergyBreaksTheWindow) {
  const auto infinity = std::numeric_limits<double>::infinity();
  for (const double jump : {-5.0, 1e6, 1e300, infinity, std::nan("")}) {
    double joules = 0;
    const auto recorder = make(sensor(true), [&]() -> Result<Reading> {
      joules += 0.5;
      return Reading{time_.ns, joules, false};
    });
    const std::int64_t begin = recorder->mark();
    run(*recorder, 4);
    joules += jump;
    run(*recorder, 6);
    const Known<Energy> energy = recorder->energy(begin, recorder->mark());
    ASSERT_FALSE(energy) << jump;
    EXPECT_NE(energy.error().reason.find("no energy"), std::string::npos) << energy.error().reason;
  }
  // Steps that each might be a late reading, and are not together.
  double joules = 0;
  const auto recorder = make(sensor(true, 0.01), [&]() -> Result<Reading> {
    return Reading{time_.ns, joules += 9'000, false};
  });
  const std::int64_t begin = recorder->mark();
  run(*recorder, 5);
  const Known<Energy> energy = recorder->energy(begin, recorder->mark());
  ASSERT_FALSE(energy);
  EXPECT_NE(energy.error().reason.find("is no power"), std::string::npos) << energy.error().reason;
}

TEST_F(RecorderTest, ASuspendedMachineBreaksTheWindow) {
  const auto recorder = follow(test::constant_power(5), true);
  const std::int64_t begin = recorder->mark();
  run(*recorder, 5);
  suspended_ = 60'000'000'000;
  run(*recorder, 5);
  EXPECT_FALSE(recorder->energy(begin, recorder->mark()));
}

TEST_F(RecorderTest, OldAndRepeatedMomentsAreNothingNew) {
  // A plug that has a new value each second, read ten times a second.
  const auto recorder = make(sensor(false, 0.1), [&]() -> Result<Reading> {
    return Reading{time_.ns / 1'000'000'000 * 1'000'000'000, 3, false};
  });
  run(*recorder, 10);
  EXPECT_EQ(recorder->watts().size(), 10U) << "of the seconds 1 to 10";
}

TEST_F(RecorderTest, ASlowSourceIsNotWaitedForAtAMark) {
  const auto recorder = make(sensor(false, 1.0), [&]() -> Result<Reading> {
    time_.advance(0.5);  // a plug that takes half a second
    return Reading{time_.ns - 250'000'000, 9, false};
  });
  run(*recorder, 5);
  const std::int64_t before = time_.ns;
  EXPECT_EQ(recorder->mark(), before);
  EXPECT_EQ(time_.ns, before);
  EXPECT_LE(recorder->next_due(), before) << "but a reading is asked for";
  run(*recorder, 60);
  const Known<Energy> energy = recorder->energy(before, recorder->mark());
  ASSERT_TRUE(energy) << energy.error().reason;
  EXPECT_NEAR(energy->mean_watts, 9, 1e-9);
}

TEST_F(RecorderTest, StateIsSampledAlong) {
  files_.set("/sys/class/thermal/thermal_zone0/temp", "61000\n");
  files_.set("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2400000\n");
  const auto recorder = follow(test::constant_power(5), false);
  const std::int64_t begin = recorder->mark();
  run(*recorder, 10);
  const StateSummary state = recorder->state(begin, recorder->mark());
  EXPECT_NEAR(*state.max_celsius, 61, 1e-9);
  EXPECT_NEAR(*state.median_hz, 2.4e9, 1);
  EXPECT_FALSE(state.throttled);
  EXPECT_GE(recorder->states().size(), 10U);
}

// The thread. Time limits here are generous; nothing waits for them to pass.
bool wait_until(const std::function<bool()>& done) {
  for (int i = 0; i < 5000 && !done(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return done();
}

TEST(RecorderThread, ReadsByItselfWhileOthersMarkAndAsk) {
  const ScriptedFiles files;
  std::atomic<int> reads{0};
  auto recorder =
      record(std::make_unique<FunctionSource>(sensor(true, 0.002),
                                              [&]() -> Result<Reading> {
                                                ++reads;
                                                const std::int64_t t = os::now_ns();
                                                return Reading{t, 7 * os::ns_to_s(t), false};
                                              }),
             "", files);
  ASSERT_TRUE(recorder);
  EXPECT_GE(reads.load(), 1) << "the first reading is there at once";
  const std::int64_t begin = (*recorder)->mark();
  std::vector<std::thread> others;
  others.reserve(3);
  for (int i = 0; i < 3; ++i)
    others.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        const std::int64_t end = (*recorder)->mark();
        static_cast<void>((*recorder)->energy(begin, end));
        static_cast<void>((*recorder)->watts());
        static_cast<void>((*recorder)->state(begin, end));
      }
    });
  for (std::thread& other : others) other.join();
  const int before = reads.load();
  EXPECT_TRUE(wait_until([&] { return reads.load() > before + 20; }));
  const Known<Energy> energy = (*recorder)->energy(begin, (*recorder)->mark());
  ASSERT_TRUE(energy) << energy.error().reason;
  EXPECT_NEAR(energy->mean_watts, 7, 1e-6);
  EXPECT_GE((*recorder)->own_cpu_seconds(), 0);
}

TEST(RecorderThread, AMarkAsksAndASlowSourceAnswersLater) {
  const ScriptedFiles files;
  std::atomic<int> reads{0};
  auto recorder = record(
      std::make_unique<FunctionSource>(sensor(false, 3600),
                                       [&]() -> Result<Reading> {
                                         ++reads;
                                         std::this_thread::sleep_for(std::chrono::milliseconds(25));
                                         return Reading{os::now_ns(), 3, false};
                                       }),
      "", files);
  ASSERT_TRUE(recorder);
  EXPECT_EQ(reads.load(), 1);
  (*recorder)->mark();
  EXPECT_TRUE(wait_until([&] { return reads.load() == 2; })) << "within an hour's period";
}

TEST(RecorderThread, EndsAtOnceWhateverThePeriod) {
  const ScriptedFiles files;
  const std::int64_t begin = os::now_ns();
  {
    auto recorder = record(
        std::make_unique<FunctionSource>(
            sensor(false, 3600), []() -> Result<Reading> { return fail(ErrorCode::kIo, "dead"); }),
        "", files);
    ASSERT_TRUE(recorder);
  }
  EXPECT_LT(os::ns_to_s(os::now_ns() - begin), 5);
}

}  // namespace
}  // namespace edgelm::device
