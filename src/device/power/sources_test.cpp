// --power SPEC: what auto prefers, what is said when there is nothing.

#include "device/power/sources.h"

#include <gtest/gtest.h>

#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;

// Machines here are made of nothing but files; what the host has (NVML, perf) is not looked at.
class SourcesTest : public testing::Test {
 protected:
  SourcesTest() : files_(std::string("/nonexistent-edgelm-root")) {}

  void battery() {
    files_.set("/sys/class/power_supply/BAT0/type", "Battery\n");
    files_.set("/sys/class/power_supply/BAT0/status", "Discharging\n");
    files_.set("/sys/class/power_supply/BAT0/power_now", "9000000\n");
  }
  void rapl() {
    const std::string zone = "/sys/class/powercap/intel-rapl:0";
    files_.set(zone + "/name", "package-0\n");
    files_.set(zone + "/energy_uj", "5\n");
    files_.set(zone + "/max_energy_range_uj", "262143328850\n");
    const std::string psys = "/sys/class/powercap/intel-rapl:1";
    files_.set(psys + "/name", "psys\n");
    files_.set(psys + "/energy_uj", "5\n");
    files_.set(psys + "/max_energy_range_uj", "262143328850\n");
  }
  std::string opened(const std::string& spec) {
    const auto source = open_source(spec, files_);
    if (!source) return source.error().message;
    return *source ? (*source)->info().id : "none";
  }

  ScriptedFiles files_;
};

TEST_F(SourcesTest, AutoPrefersMoreOfTheDeviceAndShortWindows) {
  EXPECT_EQ(opened("auto"), "none");
  EXPECT_EQ(why_no_source("auto", files_), "no power sensor on this device");
  files_.set("/sys/class/hwmon/hwmon0/name", "strange\n");
  files_.set("/sys/class/hwmon/hwmon0/power1_input", "1000000\n");
  EXPECT_EQ(opened("auto"), "none") << "nobody knows of what that is";
  EXPECT_EQ(opened("hwmon:strange"), "hwmon:strange") << "unless asked for";
  files_.set("/sys/class/hwmon/hwmon1/name", "amdgpu\n");
  files_.set("/sys/class/hwmon/hwmon1/power1_input", "1000000\n");
  EXPECT_EQ(opened("auto"), "none") << "a GPU is not the device";
  EXPECT_NE(why_no_source("auto", files_).find("hwmon:amdgpu: gpu only"), std::string::npos);
  EXPECT_EQ(opened("hwmon:amdgpu"), "hwmon:amdgpu");
  battery();
  EXPECT_EQ(opened("auto"), "battery");
  rapl();
  EXPECT_EQ(opened("auto"), "rapl");
  EXPECT_EQ(opened("rapl-psys"), "rapl-psys");
  files_.set("/sys/class/hwmon/hwmon2/name", "power_meter\n");
  files_.set("/sys/class/hwmon/hwmon2/power1_average", "1000000\n");
  EXPECT_EQ(opened("auto"), "hwmon:power_meter");
  EXPECT_EQ(opened("none"), "none");
  EXPECT_EQ(why_no_source("none", files_), "turned off (--power none)");
}

TEST_F(SourcesTest, AutoPassesByWhatCannotBeRead) {
  rapl();
  files_.deny("/sys/class/powercap/intel-rapl:0/energy_uj");
  EXPECT_EQ(opened("auto"), "none");
  const std::string why = why_no_source("auto", files_);
  EXPECT_NE(why.find("Permission denied"), std::string::npos) << why;
  EXPECT_NE(why.find("sudo chmod"), std::string::npos) << why;
  const auto asked = open_source("rapl", files_);
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, ErrorCode::kPermission);
  EXPECT_NE(asked.error().message.find("sudo chmod"), std::string::npos);
  battery();
  EXPECT_EQ(opened("auto"), "battery");
}

TEST_F(SourcesTest, AnUnknownSensorGetsTheList) {
  battery();
  for (const char* spec : {"ina3221", "hwmon:x", "rapl", "nvml:7", "bogus", "shelly", "rapl:0"}) {
    const auto source = open_source(spec, files_);
    ASSERT_FALSE(source) << spec;
    EXPECT_EQ(source.error().code, ErrorCode::kUsage) << spec;
    EXPECT_NE(source.error().message.find("on this device: battery"), std::string::npos)
        << source.error().message;
  }
}

TEST_F(SourcesTest, FilesAndCommands) {
  EXPECT_FALSE(open_source("file:/nonexistent-edgelm.csv", files_));
  EXPECT_FALSE(open_source("command:", files_));
  EXPECT_FALSE(open_source("tasmota:", files_));
  const ScriptedFiles here;
  const auto source = open_source("command:echo 3.5", here);
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_DOUBLE_EQ((*source)->read()->value, 3.5);
}

}  // namespace
}  // namespace edgelm::device
