// The passports of the recorded machines, figure by figure, and of this one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/describe_parts.h"
#include "device/passport_json.h"
#include "os/cpu.h"
#include "os/memory.h"
#include "support/emulated.h"
#include "support/sysroot.h"

namespace edgelm::device {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Passport passport_of(const test::Sysroot& machine) {
  return describe(*os::system_files(machine.root()));
}

std::string caches_of(const Cpu& cpu) {
  std::string text;
  for (const CacheLevel& cache : cpu.caches)
    text += fmt::format("L{} {} {}K by {}; ", cache.level, cache.type, cache.bytes / 1024,
                        cache.shared_by_cpus);
  return text;
}

TEST(Describe, RaspberryPi5) {
  const Passport p = passport_of(test::Sysroot("pi5"));
  EXPECT_EQ(p.cpu.model, "4x Cortex-A76");
  EXPECT_EQ(p.cpu.architecture, "aarch64");
  EXPECT_THAT(p.cpu.isa, ElementsAre("dotprod", "neon", "scalar"));
  EXPECT_EQ(p.cpu.logical_cpus, 4U);
  EXPECT_EQ(p.cpu.cores, 4U);
  ASSERT_EQ(p.cpu.clusters.size(), 1U);
  EXPECT_EQ(p.cpu.clusters[0].part, "Cortex-A76");
  EXPECT_EQ(p.cpu.clusters[0].max_hz, 2.4e9);
  EXPECT_EQ(p.cpu.clusters[0].capacity, 1024U);
  EXPECT_EQ(caches_of(p.cpu),
            "L1 Data 64K by 1; L1 Instruction 64K by 1; L2 Unified 512K by 1; "
            "L3 Unified 2048K by 4; ");
  EXPECT_EQ(p.cpu.governor, "ondemand");
  EXPECT_EQ(p.cpu.driver, "cpufreq-dt");
  EXPECT_EQ(p.cpu.current_hz, 1.5e9);
  EXPECT_EQ(p.cpu.max_hz, 2.4e9);
  EXPECT_FALSE(p.cpu.limit_hz);
  EXPECT_EQ(p.memory.total_bytes, 8255984ULL * 1024);
  EXPECT_EQ(p.memory.available_bytes, 7488240ULL * 1024);
  EXPECT_FALSE(p.memory.limit_bytes);
  EXPECT_EQ(p.memory.swap_bytes, 2097136ULL * 1024);
  EXPECT_EQ(p.memory.swap_kind, "zram");
  EXPECT_EQ(p.board.kind, BoardKind::kRaspberryPi);
  EXPECT_EQ(p.board.name, "Raspberry Pi 5 Model B Rev 1.0");  // without the NUL
  EXPECT_EQ(p.board.evidence, "/proc/device-tree/model");
  EXPECT_EQ(p.kernel, "Linux 6.12.47+rpt-rpi-2712");
  EXPECT_EQ(p.os_name, "Debian GNU/Linux 13 (trixie)");
  ASSERT_EQ(p.thermal.size(), 1U);
  EXPECT_EQ(p.thermal[0].name, "cpu-thermal");
  EXPECT_DOUBLE_EQ(p.thermal[0].celsius.value_or(0), 52.85);
  EXPECT_THAT(p.thermal[0].trip_celsius.error().reason, HasSubstr("firmware throttles"));
  EXPECT_TRUE(p.throttle_flags.empty());
  EXPECT_EQ(p.throttle, "vcgencmd get_throttled, hwmon rpi_volt");
  EXPECT_EQ(p.power_modes.interface, "cpufreq governor");
  EXPECT_EQ(p.power_modes.current, "ondemand");
  EXPECT_EQ(p.power_modes.available.size(), 6U);
  ASSERT_FALSE(p.sensors.empty());
  EXPECT_THAT(p.sensors[0].id, HasSubstr("pmic"));
  EXPECT_EQ(p.fingerprint.size(), 16U);
  EXPECT_TRUE(p.speeds.read_bytes_per_s.empty());
  EXPECT_EQ(p.speeds.why, "a recorded machine cannot be measured");
}

TEST(Describe, OrinNano) {
  const test::Sysroot machine("orin-nano");
  const Passport p = passport_of(machine);
  EXPECT_EQ(p.cpu.model, "6x Cortex-A78AE");  // not "ARMv8 Processor rev 1 (v8l)"
  EXPECT_THAT(p.cpu.isa, ElementsAre("dotprod", "neon", "scalar"));
  EXPECT_EQ(p.cpu.cores, 6U);  // core numbers repeat between its clusters
  ASSERT_EQ(p.cpu.clusters.size(), 1U);
  EXPECT_EQ(p.cpu.max_hz, 1.728e9);
  EXPECT_EQ(p.cpu.limit_hz, 1.344e9);
  EXPECT_THAT(caches_of(p.cpu), HasSubstr("L3 Unified 2048K by 2; L3 Unified 2048K by 4; "));
  EXPECT_EQ(p.memory.swap_kind, "zram");
  EXPECT_EQ(p.board.kind, BoardKind::kJetson);
  EXPECT_EQ(p.board.name, "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super");
  EXPECT_EQ(p.os_name, "Ubuntu 22.04.5 LTS, Jetson Linux 36.4.3");
  ASSERT_EQ(p.thermal.size(), 4U);
  EXPECT_EQ(p.thermal[0].trip_celsius, 99.0);
  EXPECT_EQ(p.thermal[2].name, "cv0-thermal");
  EXPECT_THAT(p.thermal[2].celsius.error().reason, HasSubstr("no such file"));
  EXPECT_THAT(p.throttle_flags, ElementsAre("over-current 3: 17 events since start"));
  EXPECT_EQ(p.power_modes.interface, "nvpmodel");
  EXPECT_EQ(p.power_modes.current, "25W");
  EXPECT_THAT(p.power_modes.available, ElementsAre("15W", "25W", "MAXN_SUPER", "7W"));
  // Without the program the file tells.
  machine.remove("/usr/bin/nvpmodel");
  EXPECT_EQ(passport_of(machine).power_modes.current, "25W");
  machine.remove("/var/lib/nvpmodel/status");
  EXPECT_FALSE(passport_of(machine).power_modes.current);
}

TEST(Describe, LaptopWithTwoKindsOfCores) {
  const Passport p = passport_of(test::Sysroot("intel-laptop"));
  EXPECT_EQ(p.cpu.model, "12th Gen Intel(R) Core(TM) i5-1240P");
  EXPECT_THAT(p.cpu.isa, ElementsAre("avxvnni", "avx2", "scalar"));
  EXPECT_EQ(p.cpu.logical_cpus, 16U);
  EXPECT_EQ(p.cpu.cores, 12U);
  ASSERT_EQ(p.cpu.clusters.size(), 2U);
  EXPECT_EQ(p.cpu.clusters[0].cpus.size(), 8U);
  EXPECT_EQ(p.cpu.clusters[0].max_hz, 4.4e9);
  EXPECT_EQ(p.cpu.clusters[1].max_hz, 3.3e9);
  EXPECT_FALSE(p.cpu.clusters[0].part);
  EXPECT_THAT(caches_of(p.cpu), HasSubstr("L2 Unified 1280K by 2; L2 Unified 2048K by 4; "
                                          "L3 Unified 12288K by 16; "));
  EXPECT_EQ(p.memory.swap_kind, "file");
  EXPECT_FALSE(p.memory.limit_bytes);  // "max"
  EXPECT_EQ(p.board.kind, BoardKind::kPc);
  EXPECT_EQ(p.board.name, "LENOVO ThinkPad X1 Carbon Gen 10 (21CBCTO1WW)");
  ASSERT_EQ(p.thermal.size(), 3U);
  EXPECT_FALSE(p.thermal[1].trip_celsius);  // a trip point of 0
  EXPECT_EQ(p.thermal[2].trip_celsius, 95.0);
  EXPECT_THAT(p.throttle_flags, ElementsAre("package throttled 41 times since start"));
  EXPECT_EQ(p.throttle, "thermal_throttle counters, cooling devices");
  EXPECT_THAT(p.power_modes.available, ElementsAre("performance", "powersave"));
}

TEST(Describe, AMachineThatTellsNothing) {
  const Passport p = passport_of(test::Sysroot("nothing"));
  EXPECT_EQ(p.cpu.model, "Intel(R) Xeon(R) Processor");
  EXPECT_THAT(p.cpu.isa, ElementsAre("avx512", "avx2", "scalar"));
  EXPECT_EQ(p.cpu.cores, 2U);
  EXPECT_EQ(p.cpu.governor.error().reason, "no cpufreq");
  EXPECT_TRUE(p.cpu.caches.empty());
  EXPECT_EQ(p.board.kind, BoardKind::kVirtual);
  EXPECT_EQ(p.board.evidence, "/proc/cpuinfo: flag hypervisor");
  // The limit of its control group, whose path is that of the host.
  EXPECT_EQ(p.memory.limit_bytes, 4ULL << 30);
  EXPECT_EQ(p.memory.available_bytes, 3ULL << 30);
  EXPECT_EQ(p.memory.swap_bytes.error().reason, "no swap");
  EXPECT_TRUE(p.sensors.empty());
  EXPECT_TRUE(p.thermal.empty());
  EXPECT_EQ(p.throttle.error().reason, "no throttle flags on this device");
  EXPECT_EQ(p.power_modes.interface, "");
  EXPECT_EQ(p.kernel, "Linux 6.18.0");
  EXPECT_EQ(p.os_name, "unknown");
}

TEST(Describe, AnEmptyFolder) {
  const Passport p = passport_of(test::Sysroot());
  EXPECT_EQ(p.cpu.model, "unknown");
  EXPECT_THAT(p.cpu.isa, ElementsAre("scalar"));
  EXPECT_EQ(p.cpu.cores, 1U);
  EXPECT_EQ(p.memory.total_bytes.error().reason, "/proc/meminfo: no such file");
  EXPECT_EQ(p.board.kind, BoardKind::kUnknown);
}

TEST(Describe, EveryPassportGoesThroughJson) {
  for (const char* name : {"pi5", "orin-nano", "intel-laptop", "nothing"}) {
    const std::string text = api::dump(to_json(passport_of(test::Sysroot(name))));
    const auto back = parse_passport(text, name);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(api::dump(to_json(*back)), text);
  }
}

TEST(Describe, ThisMachineAgreesWithWhatTheProgramSees) {
  const Passport p = describe(*os::system_files());
  const os::CpuFeatures& features = os::cpu_features();
  const auto has = [&](const char* set) {
    return std::find(p.cpu.isa.begin(), p.cpu.isa.end(), set) != p.cpu.isa.end();
  };
  if (test::is_emulated()) GTEST_SKIP() << "/proc/cpuinfo is of another machine";
  EXPECT_EQ(has("avx2"), features.avx2 && features.fma && features.f16c);
  EXPECT_EQ(has("avxvnni"), has("avx2") && features.avx_vnni);
  EXPECT_EQ(has("avx512"), has("avx2") && features.avx512_vnni);
  EXPECT_EQ(has("neon"), features.neon);
  EXPECT_EQ(has("dotprod"), features.dotprod);
  EXPECT_EQ(has("i8mm"), features.dotprod && features.i8mm);
  EXPECT_GE(p.cpu.cores, static_cast<std::uint32_t>(os::usable_cores()));
  EXPECT_GT(p.memory.total_bytes.value_or(0), 1ULL << 26);
  EXPECT_EQ(p.name, "this device");
}

TEST(Fingerprint, StaysWhileTheMachineDoes) {
  const test::Sysroot machine("pi5");
  const std::string first = passport_of(machine).fingerprint;
  machine.write("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
  machine.write("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "2800000\n");
  machine.write("/proc/meminfo", "MemTotal: 8251000 kB\nMemAvailable: 100000 kB\n");
  machine.write("/proc/sys/kernel/osrelease", "6.18.1\n");
  machine.write("/sys/devices/system/cpu/online", "0-2\n");  // a core is off
  EXPECT_EQ(passport_of(machine).fingerprint, first);
  machine.write("/proc/meminfo", "MemTotal: 4120000 kB\n");
  const std::string smaller = passport_of(machine).fingerprint;
  EXPECT_NE(smaller, first);
  machine.write("/proc/device-tree/model", "Raspberry Pi 500 Rev 1.0");
  EXPECT_NE(passport_of(machine).fingerprint, smaller);
  EXPECT_NE(passport_of(test::Sysroot("orin-nano")).fingerprint, first);
}

TEST(Throttle, BitsOfTheRaspberryPi) {
  const test::Sysroot machine("pi5");
  machine.write("/usr/share/vcgencmd/get_throttled", "throttled=0x50005\n");
  EXPECT_THAT(passport_of(machine).throttle_flags,
              ElementsAre("under-voltage now", "under-voltage since start", "throttled now",
                          "throttled since start"));
  machine.write("/usr/share/vcgencmd/get_throttled", "throttled=garbage\n");
  EXPECT_EQ(passport_of(machine).throttle, "hwmon rpi_volt");
  machine.write("/sys/class/hwmon/hwmon2/in0_lcrit_alarm", "1\n");
  EXPECT_THAT(passport_of(machine).throttle_flags, ElementsAre("under-voltage now"));
  machine.write("/sys/devices/platform/soc/soc:firmware/get_throttled", "e0008\n");
  EXPECT_THAT(
      passport_of(machine).throttle_flags,
      ElementsAre("clock capped since start", "throttled since start", "soft temperature limit now",
                  "soft temperature limit since start", "under-voltage now"));
}

TEST(Throttle, AlarmsAndCoolingOfAJetson) {
  const test::Sysroot machine("orin-nano");
  machine.write("/sys/class/hwmon/hwmon1/curr1_crit_alarm", "1\n");
  machine.write("/sys/class/thermal/cooling_device0/cur_state", "3\n");  // a fan
  machine.write("/sys/class/thermal/cooling_device1/cur_state", "2\n");
  EXPECT_THAT(passport_of(machine).throttle_flags,
              ElementsAre("ina3221 VDD_IN beyond its critical limit now",
                          "over-current 3: 17 events since start",
                          "cooling device cpufreq-cpu0 at state 2 now"));
}

TEST(Board, VirtualMachinesByDmi) {
  const test::Sysroot machine;
  const auto kind = [&](const char* vendor, const char* product) {
    machine.write("/sys/class/dmi/id/sys_vendor", vendor);
    machine.write("/sys/class/dmi/id/product_name", product);
    return passport_of(machine).board.kind;
  };
  EXPECT_EQ(kind("QEMU", "Standard PC (Q35 + ICH9, 2009)"), BoardKind::kVirtual);
  EXPECT_EQ(kind("Amazon EC2", "c7g.large"), BoardKind::kVirtual);
  EXPECT_EQ(kind("Amazon EC2", "c7g.metal"), BoardKind::kPc);
  EXPECT_EQ(kind("Microsoft Corporation", "Virtual Machine"), BoardKind::kVirtual);
  EXPECT_EQ(kind("Microsoft Corporation", "Surface Pro"), BoardKind::kPc);
  EXPECT_EQ(kind("Dell Inc.", "XPS 13 9340"), BoardKind::kPc);
  machine.write("/sys/class/dmi/id/sys_vendor", "To Be Filled By O.E.M.");
  machine.write("/sys/class/dmi/id/product_name", "To Be Filled By O.E.M.");
  machine.write("/sys/class/dmi/id/board_vendor", "ASRock");
  machine.write("/sys/class/dmi/id/board_name", "N100DC-ITX");
  EXPECT_EQ(passport_of(machine).board.name, "ASRock N100DC-ITX");
}

TEST(Board, OtherBoardsByDeviceTree) {
  const test::Sysroot machine;
  machine.write("/proc/cpuinfo", "CPU implementer : 0x41\nFeatures : fp asimd\n");
  machine.write("/proc/device-tree/model", "Radxa ROCK 5B\n");
  machine.write("/proc/device-tree/compatible",
                std::string("radxa,rock-5b\0rockchip,rk3588\0", 30));
  EXPECT_EQ(passport_of(machine).board.kind, BoardKind::kOtherArm);
  EXPECT_EQ(passport_of(machine).board.name, "Radxa ROCK 5B");
  EXPECT_EQ(passport_of(machine).board.soc, "rockchip,rk3588");
  machine.remove("/proc/device-tree/model");
  EXPECT_EQ(passport_of(machine).board.name, "radxa,rock-5b");
  machine.write("/proc/device-tree/compatible", std::string("linux,dummy-virt\0", 17));
  EXPECT_EQ(passport_of(machine).board.kind, BoardKind::kVirtual);
}

TEST(Cpu, BigAndLittleCoresOfOnePart) {
  const test::Sysroot machine;
  machine.unpack(
      "/proc/cpuinfo <<{0..3}\nprocessor : {}\nCPU implementer : 0x41\nCPU part : 0xd05\n\n<<\n"
      "/proc/cpuinfo <<{4..5}\nprocessor : {}\nCPU implementer : 0x41\nCPU part : 0xd0b\n\n<<\n"
      "/proc/cpuinfo <<{6..7}\nprocessor : {}\nCPU implementer : 0x41\nCPU part : 0xd0b\n\n<<\n"
      "/sys/devices/system/cpu/cpu{0..3}/cpufreq/cpuinfo_max_freq = 1800000\n"
      "/sys/devices/system/cpu/cpu{4..5}/cpufreq/cpuinfo_max_freq = 2256000\n"
      "/sys/devices/system/cpu/cpu{6..7}/cpufreq/cpuinfo_max_freq = 2304000\n"
      "/sys/devices/system/cpu/cpu{0..3}/topology/core_id = {}\n"
      "/sys/devices/system/cpu/cpu{4..7}/topology/core_id = 0\n"
      "/sys/devices/system/cpu/cpu{4..7}/topology/cluster_id = {}\n");
  const Passport p = passport_of(machine);
  EXPECT_EQ(p.cpu.model, "4x Cortex-A76 + 4x Cortex-A55");  // 2 % apart is one kind
  ASSERT_EQ(p.cpu.clusters.size(), 2U);
  EXPECT_EQ(p.cpu.clusters[0].max_hz, 2.304e9);
  EXPECT_THAT(p.cpu.clusters[1].cpus, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(p.cpu.cores, 8U);
}

TEST(Memory, TheTightestLimitOfVersion2Counts) {
  const test::Sysroot machine("pi5");
  machine.unpack(
      "/sys/fs/cgroup/user.slice/memory.max = 2147483648\n"
      "/sys/fs/cgroup/user.slice/memory.current = 1073741824\n"
      "/sys/fs/cgroup/user.slice/memory.stat <<\nanon 5\ninactive_file 536870912\nactive_file 0\n"
      "<<\n"
      "/sys/fs/cgroup/user.slice/user-1000.slice/memory.max = 4294967296\n");
  const Passport p = passport_of(machine);
  EXPECT_EQ(p.memory.limit_bytes, 2ULL << 30);
  EXPECT_EQ(p.memory.available_bytes, (2ULL << 30) - (512ULL << 20));
}

}  // namespace
}  // namespace edgelm::device
