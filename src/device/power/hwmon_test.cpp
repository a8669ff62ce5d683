// Channels of hwmon chips: names, scopes, averages, counters.

#include "device/power/hwmon.h"

#include <gtest/gtest.h>

#include "device/power/stepped_recorder.h"
#include "support/power_signals.h"
#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;
using test::VirtualTime;

std::vector<std::string> ids(const ScriptedFiles& files) {
  std::vector<std::string> all;
  for (const SensorInfo& info : list_hwmon(files)) all.push_back(info.id);
  return all;
}

TEST(Hwmon, ChannelsAreNamedByChipAndLabel) {
  ScriptedFiles files;
  files.set("/sys/class/hwmon/hwmon0/name", "amdgpu\n");
  files.set("/sys/class/hwmon/hwmon0/power1_average", "35000000\n");
  files.set("/sys/class/hwmon/hwmon0/power1_input", "36000000\n");
  files.set("/sys/class/hwmon/hwmon0/power1_cap", "100000000\n");
  files.set("/sys/class/hwmon/hwmon1/name", "ina233\n");
  files.set("/sys/class/hwmon/hwmon1/power1_input", "1000000\n");
  files.set("/sys/class/hwmon/hwmon1/power2_input", "2000000\n");
  files.set("/sys/class/hwmon/hwmon1/power2_label", "vcc\n");
  files.set("/sys/class/hwmon/hwmon2/name", "amdgpu\n");
  files.set("/sys/class/hwmon/hwmon2/power1_input", "5000000\n");
  files.set("/sys/class/hwmon/hwmon3/name", "amd_energy\n");
  files.set("/sys/class/hwmon/hwmon3/energy1_input", "5\n");
  files.set("/sys/class/hwmon/hwmon3/energy1_label", "Ecore000\n");
  files.set("/sys/class/hwmon/hwmon3/energy2_input", "5\n");
  files.set("/sys/class/hwmon/hwmon3/energy2_label", "Esocket0\n");
  files.set("/sys/class/hwmon/hwmon4/name", "ina3221\n");
  files.set("/sys/class/hwmon/hwmon4/power1_input", "5\n");
  files.set("/sys/class/hwmon/hwmon5/name", "BAT0\n");
  files.set("/sys/class/hwmon/hwmon5/power1_input", "5\n");
  files.set("/sys/class/power_supply/BAT0/type", "Battery\n");
  EXPECT_EQ(ids(files),
            (std::vector<std::string>{"hwmon:amdgpu", "hwmon:ina233/power1", "hwmon:ina233/vcc",
                                      "hwmon:amdgpu#2", "hwmon:amd_energy"}));
  const std::vector<SensorInfo> sensors = list_hwmon(files);
  EXPECT_EQ(sensors[0].scope, Scope::kGpu);
  EXPECT_EQ(sensors[1].scope, Scope::kUnknown);
  EXPECT_EQ(sensors[4].scope, Scope::kPackage);
  EXPECT_TRUE(sensors[4].counter);
  const VirtualTime time;
  EXPECT_DOUBLE_EQ((*open_hwmon("hwmon:amdgpu", files, time.clock()))->read()->value, 36);
  EXPECT_DOUBLE_EQ((*open_hwmon("hwmon:amdgpu#2", files, time.clock()))->read()->value, 5);
  EXPECT_FALSE(open_hwmon("hwmon:absent", files, time.clock()));
}

TEST(Hwmon, AnAverageOfSecondsNeedsALongWindow) {
  ScriptedFiles files;
  files.set("/sys/class/hwmon/hwmon0/name", "power_meter\n");
  files.set("/sys/class/hwmon/hwmon0/power1_average", "35000000\n");
  files.set("/sys/class/hwmon/hwmon0/power1_average_interval", "4000\n");
  const SensorInfo info = list_hwmon(files).at(0);
  EXPECT_EQ(info.scope, Scope::kBoard);
  EXPECT_DOUBLE_EQ(info.min_window_s, 40);
}

TEST(Hwmon, EnergyCountersFollowTheOracleAndNoticeAReset) {
  VirtualTime time;
  ScriptedFiles files;
  const test::PowerSignal signal = test::sine_power(30, 20, 5);
  double offset = 0;
  files.set("/sys/class/hwmon/hwmon0/name", "xe\n");
  files.script("/sys/class/hwmon/hwmon0/energy1_input", [&]() -> Result<std::string> {
    return fmt::format("{}\n", static_cast<long long>(1e6 * signal.joules(time.s()) - offset));
  });
  SteppedRecorder recorder(*open_hwmon("hwmon:xe", files, time.clock()), "", files,
                           {time.clock(), [] { return 0; }, 1e9, nullptr});
  const double begin_s = time.s();
  const std::int64_t begin = recorder.mark();
  for (int i = 0; i < 100; ++i) {
    time.advance(0.2);
    recorder.step();
  }
  const std::int64_t end = recorder.mark();
  EXPECT_NEAR(recorder.energy(begin, end)->joules, signal.between(begin_s, time.s()), 1e-4);
  offset = 1e6 * signal.joules(time.s());  // from 0 again
  for (int i = 0; i < 50; ++i) {
    time.advance(0.2);
    recorder.step();
  }
  EXPECT_FALSE(recorder.energy(begin, recorder.mark()));
}

TEST(Hwmon, MissingRightsAndNonsense) {
  ScriptedFiles files;
  files.set("/sys/class/hwmon/hwmon0/name", "amdgpu\n");
  files.deny("/sys/class/hwmon/hwmon0/power1_input");
  const SensorInfo info = list_hwmon(files).at(0);
  EXPECT_NE(info.not_readable.find("Permission denied"), std::string::npos);
  EXPECT_NE(info.hint.find("sudo chmod a+r /sys/class/hwmon/hwmon0/power1_input"),
            std::string::npos);
  const VirtualTime time;
  const auto source = open_hwmon("hwmon:amdgpu", files, time.clock());
  for (const char* text : {"-1\n", "", "12.5\n", "99999999999999\n"}) {
    files.set("/sys/class/hwmon/hwmon0/power1_input", text);
    EXPECT_FALSE((*source)->read()) << text;
  }
}

}  // namespace
}  // namespace edgelm::device
