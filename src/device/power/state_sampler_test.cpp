// Temperature, clocks, and what counts as throttling.

#include "device/power/state_sampler.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(StateSampler, HottestZoneAndMedianClock) {
  ScriptedFiles files;
  files.set("/sys/class/thermal/thermal_zone0/temp", "48000\n");
  files.set("/sys/class/thermal/thermal_zone1/temp", "71500\n");
  files.set("/sys/class/thermal/thermal_zone2/temp", "-274000\n");
  files.fail_with("/sys/class/thermal/thermal_zone3/temp", ErrorCode::kIo,
                  "Resource temporarily unavailable");
  for (int i = 0; i < 4; ++i)
    files.set(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", i),
              i < 3 ? "2400000\n" : "600000\n");
  StateSampler sampler(files);
  const StateSample sample = sampler.sample(5);
  EXPECT_EQ(sample.t_ns, 5);
  EXPECT_DOUBLE_EQ(sample.celsius, 71.5);
  EXPECT_DOUBLE_EQ(sample.cpu_hz, 2.4e9);
  EXPECT_EQ(sample.throttle, "");
  const ScriptedFiles no_files;
  StateSampler nothing(no_files);
  EXPECT_TRUE(std::isnan(nothing.sample(5).celsius));
  EXPECT_TRUE(std::isnan(nothing.sample(5).cpu_hz));
}

TEST(StateSampler, IntelCountersThrottleWhenTheyRise) {
  ScriptedFiles files;
  const std::string counter = "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count";
  files.set(counter, "41\n");
  StateSampler sampler(files);
  std::vector<StateSample> samples;
  for (int i = 0; i < 6; ++i) {
    if (i == 3) files.set(counter, "44\n");
    samples.push_back(sampler.sample(i * kSecond));
  }
  EXPECT_FALSE(summarize_state(samples, 0, 2 * kSecond).throttled) << "41 are old";
  const StateSummary during = summarize_state(samples, 2 * kSecond, 5 * kSecond);
  EXPECT_TRUE(during.throttled);
  EXPECT_EQ(during.cause, "processor temperature");
  EXPECT_FALSE(summarize_state(samples, 4 * kSecond, 5 * kSecond).throttled);
}

TEST(StateSampler, RaspberryBitsLiveAndSinceTheStart) {
  ScriptedFiles files;
  files.set("/proc/device-tree/model", std::string("Raspberry Pi 5 Model B\0", 23));
  std::string answer = "throttled=0x50000\n";  // once, before this run
  int runs = 0;
  StateSampler sampler(files, [&](const std::vector<std::string>& arguments) {
    EXPECT_EQ(arguments, (std::vector<std::string>{"vcgencmd", "get_throttled"}));
    ++runs;
    return Result<std::string>(answer);
  });
  std::vector<StateSample> samples;
  samples.push_back(sampler.sample(0));
  EXPECT_EQ(samples.back().throttle, "") << "what was before the first sample is not of this run";
  answer = "throttled=0x50005\n";
  samples.push_back(sampler.sample(kSecond));
  EXPECT_EQ(samples.back().throttle, "under-voltage, throttled");
  answer = "throttled=0xd0000\n";  // soft limit between two samples: only its sticky bit is seen
  samples.push_back(sampler.sample(2 * kSecond));
  EXPECT_EQ(samples.back().throttle, "soft temperature limit");
  answer = "nonsense";
  samples.push_back(sampler.sample(3 * kSecond));
  EXPECT_EQ(samples.back().throttle, "");
  EXPECT_EQ(runs, 4);
  const StateSummary summary = summarize_state(samples, 0, 3 * kSecond);
  EXPECT_TRUE(summary.throttled);
  EXPECT_EQ(summary.cause, "under-voltage, throttled, soft temperature limit");
  EXPECT_FALSE(summarize_state(samples, 3 * kSecond, 3 * kSecond).throttled);
}

TEST(StateSampler, TheKernelsOwnFileNeedsNoProgram) {
  ScriptedFiles files;
  files.set("/proc/device-tree/model", "Raspberry Pi 4");
  files.set("/sys/devices/platform/soc/soc:firmware/get_throttled", "4\n");
  StateSampler sampler(files, [](const auto&) -> Result<std::string> {
    ADD_FAILURE() << "vcgencmd was run";
    return std::string();
  });
  EXPECT_EQ(sampler.sample(0).throttle, "throttled");
}

TEST(StateSampler, JetsonOverCurrentAndCoolingDevices) {
  ScriptedFiles files;
  files.set("/sys/class/hwmon/hwmon2/name", "soctherm_oc\n");
  files.set("/sys/class/hwmon/hwmon2/oc3_event_cnt", "17\n");
  files.set("/sys/class/thermal/cooling_device0/type", "pwm-fan\n");
  files.set("/sys/class/thermal/cooling_device0/cur_state", "3\n");
  files.set("/sys/class/thermal/cooling_device1/type", "cpufreq-cpu0\n");
  files.set("/sys/class/thermal/cooling_device1/cur_state", "0\n");
  StateSampler sampler(files);
  EXPECT_EQ(sampler.sample(0).throttle, "");
  files.set("/sys/class/hwmon/hwmon2/oc3_event_cnt", "19\n");
  const StateSample over = sampler.sample(kSecond);
  EXPECT_EQ(over.throttle, "over-current");
  EXPECT_EQ(over.throttle_events, 2U);
  files.set("/sys/class/thermal/cooling_device1/cur_state", "2\n");
  EXPECT_EQ(sampler.sample(2 * kSecond).throttle, "thermal governor");
}

TEST(StateSummary, AFallingClockAloneIsPossibleThrottling) {
  std::vector<StateSample> samples;
  samples.reserve(30);
  for (int i = 0; i < 30; ++i) samples.push_back({i * kSecond, 80, i < 15 ? 2.4e9 : 2.0e9, 0, ""});
  const StateSummary falling = summarize_state(samples, 0, 30 * kSecond);
  EXPECT_FALSE(falling.throttled);
  EXPECT_TRUE(falling.possibly_throttled);
  EXPECT_DOUBLE_EQ(*falling.min_hz, 2.0e9);
  for (StateSample& sample : samples) sample.cpu_hz = 2.4e9;
  EXPECT_FALSE(summarize_state(samples, 0, 30 * kSecond).possibly_throttled);
  // A window between two samples is told by the one before; one before all by none.
  EXPECT_DOUBLE_EQ(*summarize_state(samples, kSecond / 4, kSecond / 2).max_celsius, 80);
  EXPECT_FALSE(summarize_state({}, 0, kSecond).max_celsius);
}

}  // namespace
}  // namespace edgelm::device
