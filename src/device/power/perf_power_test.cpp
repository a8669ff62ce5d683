// The power PMU: its description in sysfs, and counting with counters that are made up.

#include "device/power/perf_power.h"

#include <gtest/gtest.h>

#include "device/power/stepped_recorder.h"
#include "support/power_signals.h"
#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::PowerSignal;
using test::ScriptedFiles;
using test::VirtualTime;

constexpr double kScale = 2.3283064365386962890625e-10;

class FunctionCounter final : public PerfCounter {
 public:
  explicit FunctionCounter(std::function<Result<std::uint64_t>()> read) : read_(std::move(read)) {}
  Result<std::uint64_t> read() override { return read_(); }

 private:
  std::function<Result<std::uint64_t>()> read_;
};

class PerfPowerTest : public testing::Test {
 protected:
  PerfPowerTest() {
    const std::string pmu = "/sys/bus/event_source/devices/power";
    files_.set(pmu + "/type", "21\n");
    files_.set(pmu + "/cpumask", "0,18\n");
    for (const auto& [name, event] : {std::pair{"energy-pkg", "0x02"}, {"energy-ram", "0x03"}}) {
      files_.set(fmt::format("{}/events/{}", pmu, name), fmt::format("event={}\n", event));
      files_.set(fmt::format("{}/events/{}.scale", pmu, name), "2.3283064365386962890625e-10\n");
      files_.set(fmt::format("{}/events/{}.unit", pmu, name), "Joules\n");
    }
  }

  OpenPerf open() {
    return [this](std::uint32_t type, std::uint64_t config,
                  int cpu) -> Result<std::unique_ptr<PerfCounter>> {
      EXPECT_EQ(type, 21U);
      opened_.emplace_back(config, cpu);
      const double share = config == 2 ? 0.4 : 0.1;
      return std::make_unique<FunctionCounter>([this, share]() -> Result<std::uint64_t> {
        if (gone_) return fail(ErrorCode::kIo, "gone");
        const double joules = share * signal_.joules(time_.s()) - offset_;
        return static_cast<std::uint64_t>(joules / kScale);
      });
    };
  }

  VirtualTime time_;
  ScriptedFiles files_;
  PowerSignal signal_ = test::sine_power(40, 30, 3);
  double offset_ = 0;
  bool gone_ = false;
  std::vector<std::pair<std::uint64_t, int>> opened_;
};

TEST_F(PerfPowerTest, CountsPackagesAndMemoryOfAllSockets) {
  ASSERT_EQ(list_perf_power(files_, open()).size(), 1U);
  opened_.clear();
  SteppedRecorder recorder(*open_perf_power(files_, time_.clock(), open()), "", files_,
                           {time_.clock(), [] { return 0; }, 1e9, nullptr});
  EXPECT_EQ(opened_,
            (std::vector<std::pair<std::uint64_t, int>>{{2, 0}, {2, 18}, {3, 0}, {3, 18}}));
  const double begin_s = time_.s();
  const std::int64_t begin = recorder.mark();
  for (int i = 0; i < 200; ++i) {
    time_.advance(0.05);
    recorder.step();
  }
  const std::int64_t end = recorder.mark();
  // Two sockets with 0.4 and 0.1 of the signal each.
  EXPECT_NEAR(recorder.energy(begin, end)->joules, signal_.between(begin_s, time_.s()), 1e-6);
  offset_ = 5;  // counted from another start
  time_.advance(0.05);
  recorder.step();
  time_.advance(1);
  EXPECT_FALSE(recorder.energy(begin, recorder.mark()));
}

TEST_F(PerfPowerTest, AReadThatFailedBreaksTheCount) {
  auto source = open_perf_power(files_, time_.clock(), open());
  ASSERT_TRUE((*source)->read());
  gone_ = true;
  EXPECT_FALSE((*source)->read());
  gone_ = false;
  EXPECT_TRUE((*source)->read()->restart);
  EXPECT_FALSE((*source)->read()->restart);
}

TEST_F(PerfPowerTest, MissingRightsAreNamed) {
  const auto sensors =
      list_perf_power(files_, [](auto, auto, auto) -> Result<std::unique_ptr<PerfCounter>> {
        return fail(ErrorCode::kPermission, "perf_event_open: Permission denied");
      });
  ASSERT_EQ(sensors.size(), 1U);
  EXPECT_NE(sensors[0].hint.find("perf_event_paranoid=0"), std::string::npos);
  EXPECT_TRUE(list_perf_power(ScriptedFiles(), nullptr).empty());
}

TEST_F(PerfPowerTest, DescriptionsThatMakeNoSenseAreRefused) {
  const std::string pmu = "/sys/bus/event_source/devices/power";
  for (const auto& [file, text] : {std::pair{"/type", "x\n"},
                                   {"/type", "-1\n"},
                                   {"/cpumask", "\n"},
                                   {"/cpumask", "3-1\n"},
                                   {"/cpumask", "0-99999999\n"},
                                   {"/events/energy-pkg", "event=zz\n"},
                                   {"/events/energy-pkg", "config1=5\n"},
                                   {"/events/energy-pkg.scale", "0\n"},
                                   {"/events/energy-pkg.scale", "nan\n"},
                                   {"/events/energy-pkg.unit", "Watts\n"}}) {
    ScriptedFiles files = files_;
    files.set(pmu + file, text);
    EXPECT_FALSE(open_perf_power(files, time_.clock(), open())) << file << text;
  }
  EXPECT_EQ(*parse_perf_event("event=0x02"), 2U);
  EXPECT_EQ(*parse_perf_event("event=2,umask=0x1"), 0x102U);
  EXPECT_FALSE(parse_perf_event(""));
  EXPECT_FALSE(parse_perf_event("event=0x100"));
  EXPECT_EQ(*parse_cpu_list("0,2-4"), (std::vector<int>{0, 2, 3, 4}));
}

TEST(PerfPowerSystem, AnUnknownTypeIsAnError) { EXPECT_FALSE(open_perf_counter(0x7ffffff0, 2, 0)); }

}  // namespace
}  // namespace edgelm::device
