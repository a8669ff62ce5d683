// Power modes set, read back and restored: governors, nvpmodel (the recorded Orin Nano's), a
// command.

#include "device/power/power_mode.h"

#include <gtest/gtest.h>

#include "support/scripted_files.h"
#include "support/sysroot.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;
using test::Sysroot;

std::string policy(int i) {
  return fmt::format("/sys/devices/system/cpu/cpufreq/policy{}/scaling_governor", i);
}

ScriptedFiles two_policies() {
  ScriptedFiles files;
  files.set(policy(0), "schedutil\n");
  files.set(policy(4), "ondemand\n");
  files.set("/sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors",
            "performance powersave schedutil ondemand \n");
  return files;
}

TEST(PowerMode, GovernorsOfAllPoliciesAreSetAndRestoredEachToItsOwn) {
  const ScriptedFiles files = two_policies();
  {
    PowerModeControl control(files);
    ASSERT_TRUE(control.set("performance"));
    EXPECT_EQ(*files.line(policy(0)), "performance");
    EXPECT_EQ(*files.line(policy(4)), "performance");
    ASSERT_TRUE(control.set("governor:powersave"));
    EXPECT_EQ(*files.line(policy(4)), "powersave");
  }
  EXPECT_EQ(*files.line(policy(0)), "schedutil");
  EXPECT_EQ(*files.line(policy(4)), "ondemand");
}

TEST(PowerMode, UnknownModesListWhatThereIs) {
  const ScriptedFiles files = two_policies();
  PowerModeControl control(files);
  for (const char* mode : {"15W", "nvpmodel:performance", "governor:", ""}) {
    const Status status = control.check(mode);
    ASSERT_FALSE(status) << mode;
    EXPECT_EQ(status.error().code, ErrorCode::kUsage);
    EXPECT_NE(status.error().message.find("powersave"), std::string::npos);
    EXPECT_FALSE(control.set(mode));
  }
  EXPECT_TRUE(files.written.empty());
  const ScriptedFiles nothing;
  EXPECT_NE(PowerModeControl(nothing).check("x").error().message.find("neither"),
            std::string::npos);
}

// Refuses or ignores writes to some files.
class StubbornFiles final : public os::SystemFiles {
 public:
  explicit StubbornFiles(const os::SystemFiles& files) : files_(files) {}
  Result<std::string> read(const std::string& path) const override { return files_.read(path); }
  std::vector<std::string> list(const std::string& path) const override {
    return files_.list(path);
  }
  Status write(const std::string& path, const std::string& text) const override {
    if (path == refused) return fail(ErrorCode::kPermission, "{}: Permission denied", path);
    if (path == ignored) return {};
    return files_.write(path, text);
  }
  std::string root() const override { return ""; }
  std::string refused;
  std::string ignored;

 private:
  const os::SystemFiles& files_;
};

TEST(PowerMode, WithoutTheRightItSaysWhatToTypeAndPutsBackWhatItDid) {
  const ScriptedFiles files = two_policies();
  StubbornFiles stubborn(files);
  stubborn.refused = policy(4);
  {
    PowerModeControl control(stubborn);
    const Status status = control.set("performance");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kPermission);
    EXPECT_NE(status.error().message.find("sudo chmod a+w"), std::string::npos);
    EXPECT_EQ(*files.line(policy(0)), "performance") << "half way";
    EXPECT_FALSE(control.restore()) << "of the refused one";
    EXPECT_EQ(*files.line(policy(0)), "schedutil");
  }
}

TEST(PowerMode, WhatDoesNotTakeEffectIsNoticed) {
  const ScriptedFiles files = two_policies();
  StubbornFiles stubborn(files);
  stubborn.ignored = policy(4);
  PowerModeControl control(stubborn);
  const Status status = control.set("performance");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("but it says 'ondemand'"), std::string::npos);
}

TEST(PowerMode, NvpmodelOfTheRecordedOrin) {
  const Sysroot machine("orin-nano");
  const auto files = os::system_files(machine.root());
  {
    PowerModeControl control(*files);
    ASSERT_FALSE(control.ways().empty());
    const PowerModeSetter& model = *control.ways().front();
    EXPECT_EQ(model.interface(), "nvpmodel");
    EXPECT_EQ(model.available(), (std::vector<std::string>{"15W", "25W", "MAXN_SUPER", "7W"}));
    EXPECT_EQ(*model.current(), "25W");
    ASSERT_TRUE(control.set("7W"));
    EXPECT_EQ(*model.current(), "7W");
    ASSERT_TRUE(control.set("MAXN_SUPER"));
  }
  EXPECT_EQ(*PowerModeControl(*files).ways().front()->current(), "25W");
}

TEST(PowerMode, NvpmodelThatRefusesOrNeedsARestart) {
  ScriptedFiles files;
  files.set("/etc/nvpmodel.conf",
            "< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=x NAME=bad >\n"
            "< POWER_MODEL NAME=none >\n< POWER_MODEL ID=1 NAME=10W >\n");
  bool refuse = false;
  PowerModeControl control(
      files, {"", "", [&](const std::vector<std::string>& words) -> Result<std::string> {
                if (words.back() == "-q") return "NVPM WARN: fan\nNV Power Mode: 10W\n1\n";
                if (refuse) return fail(ErrorCode::kIo, "nvpmodel ended with status 1: no right");
                return "";
              }});
  EXPECT_EQ(control.ways().front()->available(), (std::vector<std::string>{"MAXN", "10W"}));
  const Status kept = control.set("MAXN");
  ASSERT_FALSE(kept);
  EXPECT_NE(kept.error().message.find("it says '10W'"), std::string::npos);
  refuse = true;
  const Status refused = control.set("MAXN");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kPermission);
  EXPECT_NE(refused.error().message.find("sudo"), std::string::npos);
  refuse = false;
}

TEST(PowerMode, ACommandOfTheUsers) {
  const ScriptedFiles files;
  std::vector<std::string> said;
  const RunProgram run = [&](const std::vector<std::string>& words) -> Result<std::string> {
    if (words.back() == "--level=bad") return fail(ErrorCode::kIo, "ended with status 1");
    said.push_back(words.front() + " " + words.back());
    return "";
  };
  {
    PowerModeControl control(files, {"board-mode --level={mode}", "low", run});
    EXPECT_TRUE(control.check("anything"));
    ASSERT_TRUE(control.set("high"));
    EXPECT_FALSE(control.set("bad"));
  }
  EXPECT_EQ(said, (std::vector<std::string>{"board-mode --level=high", "board-mode --level=low"}));
  PowerModeControl unknown(files, {"board-mode {mode}", "", run});
  ASSERT_TRUE(unknown.set("high"));
  const Status left = unknown.restore();
  ASSERT_FALSE(left);
  EXPECT_NE(left.error().message.find("was left set"), std::string::npos);
  PowerModeControl unmarked(files, {"board-mode", "", run});
  EXPECT_EQ(unmarked.set("high").error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace edgelm::device
