// Rails of Jetsons: hwmon and the old iio layout, totals, sums without double counting.

#include "device/power/ina3221.h"

#include <gtest/gtest.h>

#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;
using test::VirtualTime;

const std::string kNew = "/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3";

void rail(ScriptedFiles& files, const std::string& folder, int i, const std::string& label,
          int millivolts, int milliamps) {
  files.set(fmt::format("{}/in{}_label", folder, i), label + "\n");
  files.set(fmt::format("{}/in{}_input", folder, i), fmt::format("{}\n", millivolts));
  files.set(fmt::format("{}/curr{}_input", folder, i), fmt::format("{}\n", milliamps));
}

double watts(const ScriptedFiles& files) {
  const VirtualTime time;
  const auto source = open_ina3221(files, time.clock());
  EXPECT_TRUE(source);
  const Result<Reading> reading = (*source)->read();
  EXPECT_TRUE(reading) << (reading ? "" : reading.error().message);
  return reading ? reading->value : -1;
}

TEST(Ina3221, TheModuleInputIsTheTotalAndContainsTheOthers) {
  ScriptedFiles files;
  files.set(kNew + "/name", "ina3221\n");
  files.set(kNew + "/update_interval", "200\n");
  rail(files, kNew, 1, "VDD_IN", 5000, 1500);
  rail(files, kNew, 2, "VDD_CPU_GPU_CV", 5000, 640);
  rail(files, kNew, 3, "VDD_SOC", 5000, 300);
  files.set(kNew + "/in4_label", "sum of shunt voltages\n");
  files.set(kNew + "/in4_input", "99999\n");
  files.set(kNew + "/curr4_input", "99999\n");
  const std::vector<SensorInfo> sensors = list_ina3221(files);
  ASSERT_EQ(sensors.size(), 1U);
  EXPECT_EQ(sensors[0].scope, Scope::kModule);
  EXPECT_EQ(sensors[0].name, "INA3221: VDD_IN (whole module)");
  EXPECT_DOUBLE_EQ(sensors[0].period_s, 0.2);
  EXPECT_DOUBLE_EQ(watts(files), 7.5);
}

TEST(Ina3221, WithoutATotalDisjointRailsAreAddedOverAllChips) {
  ScriptedFiles files;
  const std::string second = "/sys/bus/i2c/drivers/ina3221/1-0041/hwmon/hwmon4";
  rail(files, kNew, 1, "VDD_GPU_SOC", 5000, 1000);
  rail(files, kNew, 2, "VDD_CPU_CV", 5000, 500);
  rail(files, kNew, 3, "VIN_SYS_5V0", 5000, 800);
  rail(files, second, 1, "NC", 5000, 7000);
  rail(files, second, 2, "VDDQ_VDD2_1V8AO", 5000, 200);
  rail(files, second, 3, "OFF", 5000, 7000);
  files.set(second + "/in3_enable", "0\n");
  const std::vector<SensorInfo> sensors = list_ina3221(files);
  ASSERT_EQ(sensors.size(), 1U);
  EXPECT_EQ(sensors[0].scope, Scope::kRail);
  EXPECT_EQ(sensors[0].name, "INA3221: VDD_GPU_SOC + VDD_CPU_CV + VIN_SYS_5V0");
  EXPECT_DOUBLE_EQ(watts(files), 11.5);
}

TEST(Ina3221, TheOldLayoutIsRead) {
  ScriptedFiles files;
  const std::string old = "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0";
  for (const auto& [i, label, milliamps] :
       {std::tuple{0, "POM_5V_IN", 900}, {1, "POM_5V_GPU", 100}, {2, "POM_5V_CPU", 300}}) {
    files.set(fmt::format("{}/rail_name_{}", old, i), fmt::format("{}\n", label));
    files.set(fmt::format("{}/in_voltage{}_input", old, i), "5100\n");
    files.set(fmt::format("{}/in_current{}_input", old, i), fmt::format("{}\n", milliamps));
  }
  EXPECT_EQ(list_ina3221(files).at(0).scope, Scope::kModule);
  EXPECT_DOUBLE_EQ(watts(files), 4.59);
}

TEST(Ina3221, FoundByHwmonClassAlone) {
  ScriptedFiles files;
  files.set("/sys/class/hwmon/hwmon0/name", "ina3221\n");
  rail(files, "/sys/class/hwmon/hwmon0", 1, "VDD_IN", 19000, 500);
  EXPECT_DOUBLE_EQ(watts(files), 9.5);
}

TEST(Ina3221, NonsenseAndVanishingAreErrors) {
  ScriptedFiles files;
  rail(files, kNew, 1, "VDD_IN", 5000, 1500);
  const VirtualTime time;
  const auto source = open_ina3221(files, time.clock());
  ASSERT_TRUE(source);
  for (const char* text : {"-800\n", "", "1500 mA\n", "999999999\n"}) {
    files.set(kNew + "/curr1_input", text);
    EXPECT_FALSE((*source)->read()) << text;
  }
  files.fail_with(kNew + "/curr1_input", ErrorCode::kIo, "No such device");
  const Result<Reading> gone = (*source)->read();
  ASSERT_FALSE(gone);
  EXPECT_NE(gone.error().message.find("No such device"), std::string::npos);
  EXPECT_TRUE(list_ina3221(ScriptedFiles()).empty());
  EXPECT_FALSE(open_ina3221(ScriptedFiles(), time.clock()));
}

}  // namespace
}  // namespace edgelm::device
