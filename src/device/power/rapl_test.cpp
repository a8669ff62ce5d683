// The powercap tree: what is added up, wrap-around, resets, gaps, rights, mirrored counters.

#include "device/power/rapl.h"

#include <gtest/gtest.h>

#include <cmath>

#include "device/power/stepped_recorder.h"
#include "support/power_signals.h"
#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::PowerSignal;
using test::ScriptedFiles;
using test::VirtualTime;

constexpr double kRangeUj = 262'143'328'850;

class RaplTest : public testing::Test {
 protected:
  // A zone whose counter starts at `start_uj` and follows `signal`.
  void zone(const std::string& folder, const std::string& name, const PowerSignal& signal,
            double start_uj = 5e9) {
    const std::string path = "/sys/class/powercap/" + folder;
    files_.set(path + "/name", name + "\n");
    files_.set(path + "/max_energy_range_uj", "262143328850\n");
    files_.script(path + "/energy_uj", [this, signal, start_uj]() -> Result<std::string> {
      const double uj = std::fmod(start_uj + 1e6 * signal.joules(time_.s()), kRangeUj);
      return fmt::format("{}\n", static_cast<long long>(uj));
    });
  }

  std::unique_ptr<EnergySource> open(const std::string& id = "rapl") {
    Result<std::unique_ptr<EnergySource>> source = open_rapl(id, files_, time_.clock());
    EXPECT_TRUE(source) << (source ? "" : source.error().message);
    return source ? std::move(*source) : nullptr;
  }

  std::unique_ptr<SteppedRecorder> recorder(const std::string& id = "rapl") {
    return std::make_unique<SteppedRecorder>(
        open(id), "", files_, RecorderOptions{time_.clock(), [] { return 0; }, 1e9, nullptr});
  }

  void run(SteppedRecorder& recorder, double seconds, double step_s = 0.05) {
    for (double t = 0; t < seconds - step_s / 2; t += step_s) {
      time_.advance(step_s);
      recorder.step();
    }
  }

  VirtualTime time_;
  ScriptedFiles files_;
};

TEST_F(RaplTest, AddsPackagesAndDramOnce) {
  zone("intel-rapl:0", "package-0", test::constant_power(20));
  zone("intel-rapl:0:0", "core", test::constant_power(15));
  zone("intel-rapl:0:1", "uncore", test::constant_power(1));
  zone("intel-rapl:0:2", "dram", test::constant_power(3));
  zone("intel-rapl:1", "package-1", test::constant_power(10));
  zone("intel-rapl:1:0", "dram", test::constant_power(2));
  zone("intel-rapl:2", "psys", test::constant_power(50));
  zone("intel-rapl-mmio:0", "package-0", test::constant_power(20));
  const std::vector<SensorInfo> sensors = list_rapl(files_);
  ASSERT_EQ(sensors.size(), 2U);
  EXPECT_EQ(sensors[0].id, "rapl");
  EXPECT_EQ(sensors[0].scope, Scope::kPackage);
  EXPECT_EQ(sensors[0].name, "RAPL: package-0 + package-0 dram + package-1 + package-1 dram");
  EXPECT_EQ(sensors[1].id, "rapl-psys");
  const auto all = recorder();
  const std::int64_t begin = all->mark();
  run(*all, 10);
  const std::int64_t end = all->mark();
  EXPECT_NEAR(all->energy(begin, end)->joules, 350, 1e-3);
  const auto psys = recorder("rapl-psys");
  const std::int64_t psys_begin = psys->mark();
  run(*psys, 10);
  EXPECT_NEAR(psys->energy(psys_begin, psys->mark())->joules, 500, 1e-3);
}

TEST_F(RaplTest, OnlyMemoryMappedCountersAreUsedWhenThereAreNoOthers) {
  zone("intel-rapl-mmio:0", "package-0", test::constant_power(7));
  const auto source = recorder();
  const std::int64_t begin = source->mark();
  run(*source, 2);
  EXPECT_NEAR(source->energy(begin, source->mark())->joules, 14, 1e-3);
}

TEST_F(RaplTest, FollowsEverySignalThroughAWrap) {
  for (const PowerSignal& signal : test::power_signals()) {
    zone("intel-rapl:0", "package-0", signal, kRangeUj - 60e6);  // 60 J before its end
    const auto source = recorder();
    const double begin_s = time_.s();
    const std::int64_t begin = source->mark();
    run(*source, 30);
    const std::int64_t end = source->mark();
    const Known<Energy> energy = source->energy(begin, end);
    ASSERT_TRUE(energy) << signal.name << energy.error().reason;
    EXPECT_NEAR(energy->joules, signal.between(begin_s, time_.s()), 1e-3) << signal.name;
  }
}

TEST_F(RaplTest, FortyFourMinutesAtHundredWattsWrapAndAreCounted) {
  zone("intel-rapl:0", "package-0", test::constant_power(100));
  const auto source = recorder();
  const std::int64_t begin = source->mark();
  run(*source, 3 * 44 * 60, 1.0);  // three times around
  const Known<Energy> energy = source->energy(begin, source->mark());
  ASSERT_TRUE(energy) << energy.error().reason;
  EXPECT_NEAR(energy->joules, 100.0 * 3 * 44 * 60, 0.01);
  EXPECT_TRUE(energy->low_confidence) << "it was read once a second instead of every 50 ms";
}

TEST_F(RaplTest, AGapThatMayHideSeveralWrapsIsNotGuessed) {
  zone("intel-rapl:0", "package-0", test::constant_power(100));
  const auto source = recorder();
  const std::int64_t begin = source->mark();
  run(*source, 10);
  time_.advance(2 * 2622);  // twice around, unseen
  source->step();
  run(*source, 10);
  const std::int64_t end = source->mark();
  const Known<Energy> over = source->energy(begin, end);
  ASSERT_FALSE(over);
  EXPECT_NE(over.error().reason.find("lost track"), std::string::npos) << over.error().reason;
  const Known<Energy> later = source->energy(end - 9'000'000'000, end);
  ASSERT_TRUE(later) << later.error().reason;
  EXPECT_NEAR(later->joules, 900, 0.1);
}

TEST_F(RaplTest, AResetIsNoWrap) {
  const std::string path = "/sys/class/powercap/intel-rapl:0/energy_uj";
  zone("intel-rapl:0", "package-0", test::constant_power(10));
  const auto source = recorder();
  const std::int64_t begin = source->mark();
  run(*source, 5);
  zone("intel-rapl:0", "package-0", test::constant_power(10), -1e6 * 10 * time_.s());  // from 0
  run(*source, 5);
  const std::int64_t end = source->mark();
  EXPECT_FALSE(source->energy(begin, end)) << "a wrap would be 257 kJ in 50 ms";
  EXPECT_NEAR(source->energy(end - 4'000'000'000, end)->joules, 40, 0.01);
}

TEST_F(RaplTest, MissingRightsAreNamedWithWhatToType) {
  zone("intel-rapl:0", "package-0", test::constant_power(10));
  files_.deny("/sys/class/powercap/intel-rapl:0/energy_uj");
  const std::vector<SensorInfo> sensors = list_rapl(files_);
  ASSERT_EQ(sensors.size(), 1U);
  EXPECT_NE(sensors[0].not_readable.find("Permission denied"), std::string::npos);
  EXPECT_NE(sensors[0].hint.find("sudo chmod a+r"), std::string::npos);
}

TEST_F(RaplTest, ACounterThatVanishesLeavesItsReason) {
  zone("intel-rapl:0", "package-0", test::constant_power(10));
  const auto source = recorder();
  const std::int64_t begin = source->mark();
  run(*source, 5);
  const std::int64_t middle = source->mark();
  files_.fail_with("/sys/class/powercap/intel-rapl:0/energy_uj", ErrorCode::kIo,
                   "No data available");
  run(*source, 20);
  const Known<Energy> gone = source->energy(begin, source->mark());
  ASSERT_FALSE(gone);
  EXPECT_NE(gone.error().reason.find("No data available"), std::string::npos);
  EXPECT_NEAR(source->energy(begin, middle)->joules, 50, 0.01) << "what was there stays";
}

TEST_F(RaplTest, NonsenseIsAnErrorNotANumber) {
  zone("intel-rapl:0", "package-0", test::constant_power(10));
  const auto source = open();
  ASSERT_TRUE(source->read());
  for (const char* text :
       {"", "garbage\n", "-5\n", "262143328851\n", "99999999999999999999999\n"}) {
    files_.set("/sys/class/powercap/intel-rapl:0/energy_uj", text);
    const Result<Reading> reading = source->read();
    ASSERT_FALSE(reading) << text;
    EXPECT_NE(reading.error().message.find("energy_uj"), std::string::npos);
  }
  files_.set("/sys/class/powercap/intel-rapl:0/max_energy_range_uj", "0\n");
  EXPECT_FALSE(open_rapl("rapl", files_, time_.clock()));
}

TEST_F(RaplTest, MirroredCountersAreWarnedAbout) {
  zone("intel-rapl:0", "package-0-die-0", test::square_power(60, 70, 3));
  zone("intel-rapl:1", "package-0-die-1", test::square_power(60, 70, 3));
  const auto mirrored = recorder();
  const std::int64_t begin = mirrored->mark();
  run(*mirrored, 10);
  ASSERT_EQ(mirrored->warnings().size(), 1U);
  EXPECT_TRUE(mirrored->energy(begin, mirrored->mark())->low_confidence);
  zone("intel-rapl:1", "package-0-die-1", test::square_power(59, 71, 3));
  const auto distinct = recorder();
  run(*distinct, 10);
  EXPECT_TRUE(distinct->warnings().empty());
}

}  // namespace
}  // namespace edgelm::device
