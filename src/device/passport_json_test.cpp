// A passport with every field set comes back as it was; what is wrong is refused with its place.

#include "device/passport_json.h"

#include <gtest/gtest.h>

namespace edgelm::device {
namespace {

Passport full() {
  Passport p;
  p.name = "Board \"X\" 8 GB";
  p.cpu.model = "4x Cortex-A76";
  p.cpu.architecture = "aarch64";
  p.cpu.isa = {"dotprod", "neon", "scalar"};
  p.cpu.logical_cpus = 4;
  p.cpu.cores = 4;
  p.cpu.clusters = {
      {{0, 1, 2, 3}, "Cortex-A76", 2.4e9, 1024U},
      {{4}, not_available("unknown part"), not_available("no cpufreq"), not_available("not told")}};
  p.cpu.caches = {{1, "Data", 65536, 1}, {3, "Unified", 2097152, 4}};
  p.cpu.governor = "ondemand";
  p.cpu.driver = "cpufreq-dt";
  p.cpu.current_hz = 1.5e9;
  p.cpu.max_hz = 2.4e9;
  p.cpu.limit_hz = 2.2e9;
  p.memory = {8ULL << 30, 7ULL << 30, not_available("none"), 100ULL << 20, "zram"};
  p.board = {BoardKind::kRaspberryPi, "Raspberry Pi 5 Model B Rev 1.0", "/proc/device-tree/model",
             "brcm,bcm2712"};
  p.kernel = "Linux 6.12.25";
  p.os_name = "Debian GNU/Linux 12 (bookworm)";
  p.sensors = {{"pmic", "PMIC rails", Scope::kRail, false, 0.5, 10, 0.05, "no /dev/vcio", "sudo"},
               {"rapl", "RAPL", Scope::kPackage, true, 0.05, 0.5, 0.01, "", ""}};
  p.thermal = {{"cpu-thermal", 52.3, 80.0}, {"gpu", not_available("ENODATA"), not_available("x")}};
  p.throttle_flags = {"under-voltage since start"};
  p.throttle = "vcgencmd get_throttled";
  p.power_modes = {"25W", {"15W", "25W"}, "nvpmodel"};
  p.speeds.origin = Origin::kStated;
  p.speeds.why = "from a table";
  p.speeds.read_bytes_per_s = {{1, 9.26e9}, {2, 13.23e9}};
  p.speeds.int8_ops_per_s = {{4, 0.1 + 0.2}};
  p.speeds.f32_ops_per_s = {{4, 1e11 / 3}};
  p.speeds.kernels = {{"Q4_K", "decode", {{1, 7e9}}}, {"Q4_K", "prefill", {{1, 3e10}}}};
  p.speeds.storage_bytes_per_s = 4e8;
  p.speeds.storage_path = "/var/tmp";
  p.fingerprint = "0123456789abcdef";
  return p;
}

std::string message(const std::string& text) {
  const auto passport = parse_passport(text, "p.json");
  return passport ? "read" : passport.error().message;
}

TEST(PassportJson, ComesBackAsItWas) {
  const std::string text = api::dump(to_json(full()));
  const auto back = parse_passport(text, "p.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(api::dump(to_json(*back)), text);
  // What equal texts cannot show: that each field was written at all.
  EXPECT_EQ(back->name, "Board \"X\" 8 GB");
  EXPECT_EQ(back->cpu.isa.size(), 3U);
  EXPECT_EQ(back->cpu.clusters[0].max_hz, 2.4e9);
  EXPECT_EQ(back->cpu.clusters[1].part.error().reason, "unknown part");
  EXPECT_EQ(back->cpu.caches[1].bytes, 2097152U);
  EXPECT_EQ(back->cpu.governor, "ondemand");
  EXPECT_EQ(back->memory.limit_bytes.error().reason, "none");
  EXPECT_EQ(back->memory.swap_bytes, 100ULL << 20);
  EXPECT_EQ(back->memory.swap_kind, "zram");
  EXPECT_EQ(back->cpu.limit_hz, 2.2e9);
  EXPECT_EQ(back->board.kind, BoardKind::kRaspberryPi);
  EXPECT_EQ(back->board.soc, "brcm,bcm2712");
  EXPECT_EQ(back->sensors[0].scope, Scope::kRail);
  EXPECT_EQ(back->sensors[0].hint, "sudo");
  EXPECT_TRUE(back->sensors[1].counter);
  EXPECT_EQ(back->thermal[0].trip_celsius, 80.0);
  EXPECT_EQ(back->throttle_flags.size(), 1U);
  EXPECT_EQ(back->power_modes.available.size(), 2U);
  EXPECT_EQ(back->speeds.origin, Origin::kStated);
  EXPECT_EQ(back->speeds.int8_ops_per_s[0].value, 0.1 + 0.2);  // to the last bit
  EXPECT_EQ(back->speeds.f32_ops_per_s[0].value, 1e11 / 3);
  EXPECT_EQ(back->speeds.kernels[1].phase, "prefill");
  EXPECT_EQ(back->speeds.storage_bytes_per_s, 4e8);
  EXPECT_EQ(back->fingerprint, "0123456789abcdef");
}

TEST(PassportJson, AnEmptyOneKeepsItsReasons) {
  const auto back = parse_passport(api::dump(to_json(Passport{})), "p.json");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->cpu.governor.error().reason, "no cpufreq");
  EXPECT_EQ(back->speeds.storage_bytes_per_s.error().reason, "not measured");
}

TEST(PassportJson, OneWrittenByHandMayBeShort) {
  const auto passport = parse_passport(
      R"({"name":"Pi","cpu":{"model":"4x Cortex-A76","cores":4},
          "speeds":{"origin":"stated","read_bytes_per_s":[{"threads":4,"value":1.1e10}]}})",
      "p.json");
  ASSERT_TRUE(passport) << passport.error().message;
  EXPECT_EQ(passport->cpu.cores, 4U);
  EXPECT_EQ(passport->memory.total_bytes.error().reason, "not told");
}

TEST(PassportJson, WhatIsWrongIsRefused) {
  EXPECT_NE(message("{").find("p.json: not valid JSON"), std::string::npos);
  EXPECT_EQ(message("[]"), "p.json: expected an object, got []");
  EXPECT_EQ(message("{}"), "p.json: name: is missing");
  EXPECT_EQ(message(R"({"name":"x","cpu":{"model":"m","cores":-4}})"),
            "p.json: cpu.cores: expected a whole number of 0 or more, got -4");
  EXPECT_EQ(message(R"({"name":"x","board":{"kind":"toaster"}})"),
            "p.json: board.kind: expected one of unknown, raspberry-pi, jetson, other-arm, pc, "
            "virtual, got \"toaster\"");
  EXPECT_EQ(message(R"({"name":"x","speeds":{"read_bytes_per_s":[{"threads":1,"value":0}]}})"),
            "p.json: speeds.read_bytes_per_s[0].value: expected more than 0");
  EXPECT_EQ(message(R"({"name":"x","speeds":{"read_bytes_per_s":[{"threads":0,"value":1}]}})"),
            "p.json: speeds.read_bytes_per_s[0].threads: expected 1 or more");
  EXPECT_EQ(message(R"({"name":"x","speeds":{"kernels":[{"type":"Q4_0","phase":"decde"}]}})"),
            "p.json: speeds.kernels[0].phase: expected decode, decode_cached or prefill, "
            "got 'decde'");
  EXPECT_EQ(message(R"({"name":"x","memry":{}})"), "p.json: memry: is no field that is known here");
  EXPECT_EQ(message(R"({"name":"x","schema":2})"),
            "p.json: a passport of schema 2, this edgelm knows 1: take a newer one");
  EXPECT_EQ(message(R"({"name":"x","name":"y"})").substr(0, 6), "p.json");
  EXPECT_NE(message(R"({"name":"x","name":"y"})"), "read");
}

TEST(PassportJson, EveryScopeComesBack) {
  for (int scope = 0; scope <= static_cast<int>(Scope::kUnknown); ++scope) {
    SensorInfo sensor;
    sensor.id = "x";
    sensor.scope = static_cast<Scope>(scope);
    const auto back = sensor_from_json(to_json(sensor), "s");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->scope, sensor.scope);
  }
}

TEST(PassportJson, PartsComeBack) {
  const Passport p = full();
  const auto speeds = speeds_from_json(to_json(p.speeds), "s");
  ASSERT_TRUE(speeds);
  EXPECT_EQ(speeds->kernels.size(), 2U);
  const auto sensor = sensor_from_json(to_json(p.sensors[0]), "s");
  ASSERT_TRUE(sensor);
  EXPECT_EQ(sensor->relative_uncertainty, 0.05);
  EXPECT_FALSE(sensor_from_json(to_json(p.speeds), "s"));
}

}  // namespace
}  // namespace edgelm::device
