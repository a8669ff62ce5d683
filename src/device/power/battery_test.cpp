// When a battery tells the power of the device, and when it does not.

#include "device/power/battery.h"

#include <gtest/gtest.h>

#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;

void battery(ScriptedFiles& files, const std::string& name, const std::string& status) {
  const std::string folder = "/sys/class/power_supply/" + name;
  files.set(folder + "/type", "Battery\n");
  files.set(folder + "/status", status + "\n");
}

Result<Reading> read(const ScriptedFiles& files) {
  const test::VirtualTime time;
  auto source = open_battery(files, time.clock());
  if (!source) return fail(source.error());
  return (*source)->read();
}

TEST(Battery, PowerOrCurrentTimesVoltageOfEitherSign) {
  ScriptedFiles files;
  battery(files, "BAT0", "Discharging");
  files.set("/sys/class/power_supply/BAT0/power_now", "-12500000\n");
  EXPECT_DOUBLE_EQ(read(files)->value, 12.5);
  files.remove("/sys/class/power_supply/BAT0/power_now");
  files.set("/sys/class/power_supply/BAT0/current_now", "-800000\n");
  files.set("/sys/class/power_supply/BAT0/voltage_now", "12000000\n");
  EXPECT_DOUBLE_EQ(read(files)->value, 9.6);
}

TEST(Battery, TwoAreAddedWhileNoneCharges) {
  ScriptedFiles files;
  battery(files, "BAT0", "Discharging");
  battery(files, "BAT1", "Not charging");
  files.set("/sys/class/power_supply/BAT0/power_now", "7000000\n");
  files.set("/sys/class/power_supply/BAT1/power_now", "3000000\n");
  EXPECT_DOUBLE_EQ(read(files)->value, 7);
  battery(files, "BAT1", "Discharging");
  EXPECT_DOUBLE_EQ(read(files)->value, 10);
  battery(files, "BAT1", "Charging");
  EXPECT_FALSE(read(files));
}

TEST(Battery, OnTheChargerItSaysWhatToDo) {
  for (const char* status : {"Charging", "Full", "Not charging", "Unknown"}) {
    ScriptedFiles files;
    battery(files, "BAT0", status);
    files.set("/sys/class/power_supply/BAT0/power_now", "7000000\n");
    const std::vector<SensorInfo> sensors = list_battery(files);
    ASSERT_EQ(sensors.size(), 1U);
    EXPECT_FALSE(sensors[0].not_readable.empty()) << status;
    EXPECT_EQ(sensors[0].hint, "unplug the charger");
    EXPECT_FALSE(read(files)) << status;
  }
}

TEST(Battery, MiceAndEmptyBaysAreNone) {
  ScriptedFiles files;
  battery(files, "hidpp_battery_0", "Discharging");
  files.set("/sys/class/power_supply/hidpp_battery_0/scope", "Device\n");
  battery(files, "BAT1", "Discharging");
  files.set("/sys/class/power_supply/BAT1/present", "0\n");
  files.set("/sys/class/power_supply/AC/type", "Mains\n");
  EXPECT_TRUE(list_battery(files).empty());
}

TEST(Battery, NonsenseIsAnError) {
  ScriptedFiles files;
  battery(files, "BAT0", "Discharging");
  for (const char* text : {"garbage\n", "", "99999999999999\n"}) {
    files.set("/sys/class/power_supply/BAT0/power_now", text);
    EXPECT_FALSE(read(files)) << text;
  }
  files.fail_with("/sys/class/power_supply/BAT0/power_now", ErrorCode::kIo, "No such device");
  EXPECT_FALSE(read(files));
}

}  // namespace
}  // namespace edgelm::device
