// The text of pmic_read_adc, and which boards have it.

#include "device/power/pmic.h"

#include <gtest/gtest.h>

#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;

RunProgram prints(const std::string& text) {
  return [text](const std::vector<std::string>&) -> Result<std::string> { return text; };
}

ScriptedFiles board(const std::string& model) {
  ScriptedFiles files;
  files.set("/proc/device-tree/model", model + std::string(1, '\0'));
  return files;
}

TEST(Pmic, RailsAreJoinedByNameWhateverTheirOrder) {
  const Result<double> watts = pmic_watts(
      "  VDD_CORE_V volt(15)=0.9V\n"
      "   3V3_SYS_A current(1)=0.5A\n"
      "     EXT5V_V volt(24)=5.15A_is_never_looked_at_because_V\n");
  EXPECT_FALSE(watts) << "a number that is none";
  const Result<double> sum = pmic_watts(
      "  VDD_CORE_V volt(15)=0.9V\n   3V3_SYS_A current(1)=0.5A\n     EXT5V_V volt(24)=5.15V\n"
      "  VDD_CORE_A current(7)=2.0A\n   3V3_SYS_V volt(9)=3.3V\n     BATT_V volt(25)=0V\n");
  ASSERT_TRUE(sum) << sum.error().message;
  EXPECT_DOUBLE_EQ(*sum, 2.0 * 0.9 + 0.5 * 3.3);
}

TEST(Pmic, DamagedTextIsRefused) {
  for (const char* text :
       {"", "error=1 error_msg=\"Command not registered\"\n", "VCHI initialization failed\n",
        "A_A current(0)=1A\n", "A_A current(0)=1A\nA_V volt(1)=xV\n", "A_A current(0)=1A\nA_V\n",
        "A_A current(0)=1A\nA_V volt(1)=nanV\n", "A_A current(0)=1A\nA_V volt(1)=1e9V\n",
        "A_A current(0)=1A\nA_A current(0)=1A\nA_V volt(1)=1V\n",
        "A_A current(0)=-3A\nA_V volt(1)=3V\n"})
    EXPECT_FALSE(pmic_watts(text)) << text;
}

TEST(Pmic, APiFiveHasTheRailsAndTheModelledBoard) {
  const RunProgram run = prints("A_A current(0)=1A\nA_V volt(1)=4V\n");
  const ScriptedFiles files = board("Raspberry Pi 5 Model B Rev 1.0");
  const std::vector<SensorInfo> sensors = list_pmic(files, run);
  ASSERT_EQ(sensors.size(), 2U);
  EXPECT_EQ(sensors[0].scope, Scope::kRail);
  EXPECT_EQ(sensors[1].scope, Scope::kModelled);
  const test::VirtualTime time;
  EXPECT_DOUBLE_EQ((*open_pmic("pmic", files, time.clock(), run))->read()->value, 4);
  EXPECT_NEAR((*open_pmic("pmic-board", files, time.clock(), run))->read()->value,
              1.1451 * 4 + 0.5879, 1e-12);
}

TEST(Pmic, OtherBoardsSayWhyNot) {
  const std::vector<SensorInfo> four =
      list_pmic(board("Raspberry Pi 4 Model B Rev 1.5"), prints("A_A current(0)=1A"));
  ASSERT_EQ(four.size(), 1U);
  EXPECT_NE(four[0].not_readable.find("measures no currents"), std::string::npos);
  EXPECT_TRUE(list_pmic(board("NVIDIA Jetson Orin Nano"), prints("")).empty());
  EXPECT_TRUE(list_pmic(ScriptedFiles(), prints("")).empty());
}

TEST(Pmic, MissingRightsAreNamed) {
  const std::vector<SensorInfo> sensors =
      list_pmic(board("Raspberry Pi 5"), prints("VCHI initialization failed\n"));
  ASSERT_EQ(sensors.size(), 2U);
  for (const SensorInfo& info : sensors) {
    EXPECT_FALSE(info.not_readable.empty());
    EXPECT_NE(info.hint.find("usermod -aG video"), std::string::npos);
  }
  const auto absent = list_pmic(board("Raspberry Pi 5"), [](const auto&) -> Result<std::string> {
    return fail(ErrorCode::kNotFound, "no program vcgencmd in PATH");
  });
  EXPECT_NE(absent.at(0).hint.find("apt install"), std::string::npos);
}

}  // namespace
}  // namespace edgelm::device
