// edgelm device, on recorded machines and on this one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.h"
#include "process.h"
#include "support/sysroot.h"

namespace edgelm::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string text_of(const test::Sysroot& machine) {
  const Outcome outcome = run("edgelm device --sysroot " + machine.root());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  return outcome.out;
}

api::Json json_of(const std::string& flags) {
  const Outcome outcome = run("edgelm device -o json " + flags);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  auto json = api::parse(outcome.out, "device");
  EXPECT_TRUE(json) << outcome.out;
  return json.value_or(api::Json::object());
}

TEST(Device, ARecordedRaspberryPi) {
  const test::Sysroot machine("pi5");
  const std::string text = text_of(machine);
  EXPECT_THAT(text, HasSubstr("Raspberry Pi 5 Model B Rev 1.0 (raspberry-pi, brcm,bcm2712; "));
  EXPECT_THAT(text, HasSubstr("4x Cortex-A76, aarch64; 4 cores"));
  EXPECT_THAT(text, HasSubstr("dotprod, neon, scalar"));  // its kernels, not this machine's
  EXPECT_THAT(text, HasSubstr("1.50 GHz now, 2.40 GHz at most, governor ondemand"));
  EXPECT_THAT(text, HasSubstr("L3 2 MiB for 4 threads"));
  EXPECT_THAT(text, HasSubstr("swap 2.00 GiB zram"));
  EXPECT_THAT(text, HasSubstr("cpu-thermal 52.9 C"));
  EXPECT_THAT(text, HasSubstr("no (vcgencmd get_throttled, hwmon rpi_volt)"));
  EXPECT_THAT(text, HasSubstr("speeds       n/a (a recorded machine cannot be measured)"));
  const auto json = json_of("--sysroot " + machine.root());
  EXPECT_EQ(json["board"]["kind"], "raspberry-pi");
  EXPECT_EQ(json["cpu"]["clusters"][0]["max_hz"], 2.4e9);
  EXPECT_EQ(json["memory"]["limit_bytes"]["absent"], "no control group limit");
  EXPECT_EQ(json["speeds"]["storage_bytes_per_s"]["absent"],
            "a recorded machine cannot be measured");
  EXPECT_FALSE(json["sensors"].empty());
}

TEST(Device, ARecordedOrinAndALaptop) {
  const std::string orin = text_of(test::Sysroot("orin-nano"));
  EXPECT_THAT(orin, HasSubstr("(jetson, nvidia,tegra234; "));
  EXPECT_THAT(orin, HasSubstr("25W now; 15W, 25W, MAXN_SUPER, 7W (nvpmodel)"));
  EXPECT_THAT(orin, HasSubstr("limited to 1.34 GHz"));
  EXPECT_THAT(orin, HasSubstr("VDD_IN"));
  const std::string laptop = text_of(test::Sysroot("intel-laptop"));
  EXPECT_THAT(laptop, HasSubstr("processors 0-7, 4.40 GHz at most"));
  EXPECT_THAT(laptop, HasSubstr("processors 8-15, 3.30 GHz at most"));
  EXPECT_THAT(laptop, HasSubstr("package throttled 41 times since start"));
  EXPECT_THAT(laptop, HasSubstr("rapl"));
}

TEST(Device, AMachineWithNothingSaysWhy) {
  const std::string text = text_of(test::Sysroot("nothing"));
  EXPECT_THAT(text, HasSubstr("clock        n/a (no cpufreq)"));
  EXPECT_THAT(text, HasSubstr("thermal      n/a (no thermal zone)"));
  EXPECT_THAT(text, HasSubstr("power        n/a (no power sensor"));
  EXPECT_THAT(text, HasSubstr("limited to 4.00 GiB"));
  const std::string empty = text_of(test::Sysroot());
  EXPECT_THAT(empty, HasSubstr("memory       n/a (/proc/meminfo: no such file)"));
}

TEST(Device, TextOfAMachineReachesNoTerminalAsACommand) {
  const test::Sysroot machine("pi5");
  machine.write("/proc/device-tree/model", "Evil \x1b[2J\x9b board\n");
  machine.write("/sys/class/thermal/thermal_zone0/type", "\x1b]0;zone\x07");
  EXPECT_THAT(text_of(machine), Not(HasSubstr("\x1b")));
}

TEST(Device, MeasuresThisOne) {
  const auto json = json_of("--quick");
  EXPECT_EQ(json["name"], "this device");
  EXPECT_EQ(json["speeds"]["origin"], "measured");
  EXPECT_GT(json["speeds"]["read_bytes_per_s"][0]["value"].get<double>(), 1e8);
  EXPECT_FALSE(json["speeds"]["kernels"].empty());
  EXPECT_EQ(json["speeds"]["storage_bytes_per_s"]["absent"], "not measured");
}

TEST(Device, KeepsWhatItMeasured) {
  const std::string cache = "EDGELM_CACHE_LIMIT=1G EDGELM_CACHE_DIR=" + work_folder() + "/speeds ";
  const Outcome before = run(cache + "edgelm device --no-measure");
  EXPECT_THAT(before.out, HasSubstr("speeds       n/a (not measured)"));
  const Outcome measured = run(cache + "edgelm device --storage /nowhere");
  EXPECT_EQ(measured.exit_code, 0) << measured.err;
  EXPECT_THAT(measured.out, HasSubstr("storage      n/a (/nowhere: No such file or directory)"));
  EXPECT_EQ(measured.err, "");  // no bar without a terminal
  const Outcome after = run(cache + "edgelm device --no-measure");
  EXPECT_THAT(after.out, HasSubstr("Speeds, measured: kept from an earlier run"));
}

TEST(Device, BadUseIsRefused) {
  const Outcome missing = run("edgelm device --sysroot /nowhere");
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere: no such folder; --sysroot takes"));
  EXPECT_EQ(run("edgelm device -o yaml").exit_code, 2);
  EXPECT_EQ(run("edgelm device --quick --no-measure").exit_code, 2);
  const Outcome help = run("edgelm device --help");
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("edgelm device --sysroot"));
}

}  // namespace
}  // namespace edgelm::e2e
