// Machines whose files hold anything: nothing crashes or hangs, figures stay plausible or absent,
// and the passport is always valid JSON that reads back.

#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"
#include "device/passport_json.h"
#include "os/system_files.h"
#include "support/sysroot.h"

namespace edgelm::device {
namespace {

void expect_sound(const test::Sysroot& machine, const std::string& what) {
  const Passport passport = describe(*os::system_files(machine.root()));
  const std::string text = api::dump(to_json(passport));
  const auto back = parse_passport(text, what);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(api::dump(to_json(*back)), text) << what;
  EXPECT_LT(text.size(), 1U << 20) << what;
  EXPECT_EQ(passport.fingerprint.size(), 16U);
  EXPECT_GE(passport.cpu.logical_cpus, 1U);
  EXPECT_LE(passport.cpu.logical_cpus, 4096U);
  EXPECT_GE(passport.cpu.cores, 1U);
  for (const ThermalZone& zone : passport.thermal) {
    EXPECT_GT(zone.celsius.value_or(0), -41) << what;
    EXPECT_LT(zone.celsius.value_or(0), 151) << what;
  }
  EXPECT_LE(passport.cpu.max_hz.value_or(0), 20e9) << what;
}

std::vector<std::string> files_of(const test::Sysroot& machine) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(machine.root()))
    if (entry.is_regular_file() && !entry.is_symlink())
      paths.push_back(entry.path().string().substr(machine.root().size()));
  return paths;
}

TEST(Hostile, TheSameNonsenseInEveryFile) {
  for (const char* name : {"pi5", "orin-nano", "intel-laptop", "nothing"}) {
    const test::Sysroot machine(name);
    const std::vector<std::string> paths = files_of(machine);
    for (const std::string& content :
         {std::string(), std::string("garbage\n"), std::string("-1\n"),
          std::string("99999999999999999999999999\n"), std::string("9223372036854775807\n"),
          std::string("0-4294967295\n"), std::string("nan\n"), std::string("\0\0\0", 3),
          std::string("\xff\xfe\x1b[2J\xc3\n"), std::string(": : :\n=\n::\n<\n")}) {
      for (const std::string& path : paths)
        if (!path.starts_with("/usr/bin/")) machine.write(path, content);
      expect_sound(machine, std::string(name) + " with " + content);
    }
  }
}

TEST(Hostile, HugeFiles) {
  for (const std::string& content :
       {std::string(300'000, 'x'), std::string(300'000, '\n'), std::string(2U << 20, '1')}) {
    const test::Sysroot machine("nothing");
    for (const std::string& path : files_of(machine)) machine.write(path, content);
    machine.write("/sys/devices/system/cpu/online", content);
    machine.write("/etc/os-release", "PRETTY_NAME=" + content);
    expect_sound(machine, "huge");
  }
}

TEST(Hostile, RandomBytesInRandomFiles) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const test::Sysroot machine(seed % 2 == 0 ? "orin-nano" : "pi5");
    for (const std::string& path : files_of(machine)) {
      if (path.starts_with("/usr/bin/")) continue;
      if (random.bits() % 4 == 0) machine.remove(path);
      if (random.bits() % 4 != 0) continue;
      std::string content(random.bits() % 200, '\0');
      for (char& c : content) c = static_cast<char>(random.bits() & 0xffU);
      machine.write(path, content);
    }
    expect_sound(machine, "random");
  }
}

TEST(Hostile, FoldersWhereFilesShouldBeAndManyOfEverything) {
  const test::Sysroot machine;
  std::filesystem::create_directories(machine.path("/proc/cpuinfo"));
  std::filesystem::create_directories(machine.path("/proc/meminfo"));
  std::filesystem::create_directories(machine.path("/etc/os-release"));
  machine.unpack(
      "/sys/devices/system/cpu/online = 0-4095\n"
      "/sys/class/thermal/thermal_zone{0..600}/type = zone{}\n"
      "/sys/class/hwmon/hwmon{0..600}/curr1_crit_alarm = 1\n"
      "/sys/devices/system/cpu/cpu0/cache/index{0..100}/size = 1K\n");
  expect_sound(machine, "many");
  const Passport passport = describe(*os::system_files(machine.root()));
  EXPECT_LE(passport.thermal.size(), 256U);
  EXPECT_LE(passport.throttle_flags.size(), 256U);
  EXPECT_EQ(passport.memory.total_bytes.error().reason, "/proc/meminfo: cannot be read");
}

TEST(Hostile, AGroupPathThatClimbsIsNotFollowed) {
  const test::Sysroot machine("pi5");
  machine.write("/proc/self/cgroup", "0::/../../proc\n");
  machine.write("/proc/memory.max", "1000\n");
  EXPECT_FALSE(describe(*os::system_files(machine.root())).memory.limit_bytes);
}

TEST(Hostile, AProgramThatHangsIsLeft) {
  const test::Sysroot machine("pi5");
  machine.write("/usr/bin/vcgencmd", "#!/bin/sh\nexec sleep 100\n");
  const Passport passport = describe(*os::system_files(machine.root()));
  EXPECT_EQ(passport.throttle, "hwmon rpi_volt");
}

}  // namespace
}  // namespace edgelm::device
