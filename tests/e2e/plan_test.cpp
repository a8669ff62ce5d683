// edgelm plan for recorded machines: their board is recognised, their memory is planned for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.h"
#include "process.h"
#include "support/sysroot.h"

namespace edgelm::e2e {
namespace {

using ::testing::HasSubstr;

api::Json plan(const std::string& flags) {
  const Outcome outcome = run("edgelm plan llama3.2-1b:Q4_K_M -o json " + flags);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  auto json = api::parse(outcome.out, "plan");
  EXPECT_TRUE(json) << outcome.out;
  return json.value_or(api::Json::object());
}

TEST(Plan, ARecordedRaspberryPiIsTheShippedOneWithItsOwnMemory) {
  const test::Sysroot machine("pi5");
  const api::Json recorded = plan("--sysroot " + machine.root());
  const api::Json shipped = plan("--device pi5-8gb");
  EXPECT_EQ(recorded["device"], "Raspberry Pi 5 8 GB");
  const api::Json& mine = recorded["candidates"][0];
  const api::Json& theirs = shipped["candidates"][0];
  EXPECT_EQ(mine["decode"], theirs["decode"]);
  EXPECT_EQ(mine["economics"], theirs["economics"]);
  EXPECT_EQ(mine["memory"]["usable_bytes"], 7488240ULL * 1024);
  EXPECT_NE(mine["memory"]["usable_bytes"], theirs["memory"]["usable_bytes"]);

  // Nearly all of it is in use.
  machine.write("/proc/meminfo", "MemTotal: 8255984 kB\nMemAvailable: 700000 kB\n");
  EXPECT_EQ(plan("--sysroot " + machine.root())["candidates"][0]["memory"]["fit"], "paging");
}

TEST(Plan, ARecordedOrinIsPlannedForInItsPowerMode) {
  const test::Sysroot machine("orin-nano");
  const api::Json json = plan("--sysroot " + machine.root());
  EXPECT_EQ(json["device"], "Jetson Orin Nano 8 GB");
  EXPECT_EQ(json["candidates"].size(), 1U);
  EXPECT_EQ(json["candidates"][0]["power_mode"], "25W");

  machine.write("/var/lib/nvpmodel/status", "pmode:0002\n");
  const Outcome outcome = run("edgelm plan llama3.2-1b:Q4_K_M --sysroot " + machine.root());
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("in its power mode 'MAXN_SUPER': not known"));
  EXPECT_THAT(outcome.err, HasSubstr("llama.cpp @ MAXN"));
}

TEST(Plan, ARecordedMachineThatNobodyMeasuredIsRefused) {
  const test::Sysroot machine("intel-laptop");
  const Outcome outcome = run("edgelm plan llama3.2-1b:Q4_K_M --sysroot " + machine.root());
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("no speeds are known for it"));
  EXPECT_THAT(outcome.err, HasSubstr("edgelm device -o json"));
}

}  // namespace
}  // namespace edgelm::e2e
