// Programs that print power: lines, one-shot and long-running programs, and those that misbehave.

#include "device/power/command_source.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "os/clock.h"
#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::ScriptedFiles;

Result<std::unique_ptr<EnergySource>> open(const std::string& script, double patience_s = 10) {
  static const ScriptedFiles files;
  return open_command("sh -c \"" + script + "\"", files, os::now_ns, patience_s);
}

TEST(CommandSource, LinesOfAllKinds) {
  EXPECT_DOUBLE_EQ(parse_power_line("5.25")->value, 5.25);
  EXPECT_DOUBLE_EQ(parse_power_line(" 5250 mW\r")->value, 5.25);
  EXPECT_DOUBLE_EQ(*parse_power_line("12.5 5.25")->t_s, 12.5);
  EXPECT_DOUBLE_EQ(parse_power_line("12.5, 5.25 W")->value, 5.25);
  EXPECT_TRUE(parse_power_line("481.5 J")->joules);
  EXPECT_TRUE(parse_power_line("1 481.5 J")->joules);
  for (const char* text : {"", "W", "watts: 5", "5 W W", "1 2 3", "1 2 W 3", "-5", "nan", "1e300",
                           "inf W", "5W", "-1 J", "1 2 3 4 5 6"})
    EXPECT_FALSE(parse_power_line(text)) << text;
}

TEST(CommandSource, WordsAreSplitWithoutAShell) {
  EXPECT_EQ(*split_command("meter  -p '/dev/tty USB0' \"a'b\"c \"\""),
            (std::vector<std::string>{"meter", "-p", "/dev/tty USB0", "a'bc", ""}));
  EXPECT_EQ(*split_command("echo $(rm) ; ls"),
            (std::vector<std::string>{"echo", "$(rm)", ";", "ls"}));
  EXPECT_FALSE(split_command("  "));
  EXPECT_FALSE(split_command("a 'b"));
}

TEST(CommandSource, AProgramThatEndsIsStartedForEachReading) {
  auto source = open("echo 4.5");
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_GE((*source)->info().period_s, 0.5);
  EXPECT_EQ((*source)->info().scope, Scope::kUnknown);
  for (int i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ((*source)->read()->value, 4.5);
  auto heading =
      open("echo time watts; sleep 0.02; echo 1 6.5; sleep 0.02; echo 1.1 6.5; echo 1.2 6.5");
  ASSERT_TRUE(heading) << heading.error().message;
  auto unfinished = open("echo noise; printf 7");
  ASSERT_TRUE(unfinished) << unfinished.error().message;
  EXPECT_DOUBLE_EQ((*unfinished)->read()->value, 7) << "the last line, without its end";
}

TEST(CommandSource, AProgramThatGoesOnIsReadLineByLine) {
  auto source = open("i=1; while true; do echo $i; i=$((i+1)); sleep 0.03; done");
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_LT((*source)->info().period_s, 0.5);
  double last = 0;
  for (int i = 0; i < 5; ++i) {
    const Result<Reading> reading = (*source)->read();
    ASSERT_TRUE(reading) << reading.error().message;
    EXPECT_GT(reading->value, last) << "it was not started again";
    last = reading->value;
  }
}

TEST(CommandSource, TimesOfLinesCountFromTheFirst) {
  auto source = open(
      "for s in 100 101; do for i in 0 1 2 3 4 5 6 7 8 9; do echo $s.$i 5; sleep 0.05; done; done");
  ASSERT_TRUE(source) << source.error().message;
  const Result<Reading> reading = (*source)->read();
  ASSERT_TRUE(reading) << reading.error().message;
  const Result<Reading> next = (*source)->read();
  ASSERT_TRUE(next) << next.error().message;
  const double between = os::ns_to_s(next->t_ns - reading->t_ns);
  EXPECT_NEAR(between / 0.1, std::round(between / 0.1), 1e-6)
      << "as its lines say, not as they came";
  auto wrong = open("echo 1 5; sleep 0.01; echo 900 5; sleep 0.01; echo 901 5; sleep 30", 0.3);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("early"), std::string::npos) << wrong.error().message;
}

// A program that knows how often it was started: $n.
std::string with_count(const std::string& name, const std::string& script) {
  const std::string file = testing::TempDir() + "edgelm_starts_" + name;
  std::ofstream(file) << "0";
  return fmt::format("n=$(cat '{0}'); echo $((n+1)) > '{0}'; {1}", file, script);
}

TEST(CommandSource, JoulesAreACounterThatMayBeginAgain) {
  auto source = open(with_count("joules", "set -- 50 60 75 80 5 9; shift $n; echo $1 J"));
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_TRUE((*source)->info().counter);
  const Result<Reading> fourth = (*source)->read();
  ASSERT_TRUE(fourth);
  EXPECT_DOUBLE_EQ(fourth->value, 30);
  const Result<Reading> fifth = (*source)->read();
  ASSERT_TRUE(fifth);
  EXPECT_TRUE(fifth->restart);
  EXPECT_DOUBLE_EQ((*source)->read()->value, 34);
}

TEST(CommandSource, WhatGoesWrongIsSaid) {
  for (const auto& [script, words] :
       {std::pair{"echo meter not found >&2; exit 3", "status 3: meter not found"},
        {"true", "without printing"},
        {"echo five watts", "five watts"},
        {"exec 1>&- 2>&-; sleep 30", "nothing within"},
        {"head -c 100000 /dev/zero | tr '\\\\0' x; sleep 30", "more than 4096 bytes"},
        // Faster than it is read: over the limit, or lines that tell nothing.
        {"exec yes", ""}}) {
    auto source = open(script, 0.3);
    ASSERT_FALSE(source) << script;
    EXPECT_NE(source.error().message.find(words), std::string::npos) << source.error().message;
  }
  const ScriptedFiles files;
  const auto absent = open_command("edgelm-no-such-meter", files, os::now_ns);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
}

TEST(CommandSource, AProgramThatDiesIsStartedAgain) {
  auto source = open(with_count("dies", "if [ $n = 3 ]; then exit 9; fi; echo $n"));
  ASSERT_TRUE(source) << source.error().message;
  const Result<Reading> dead = (*source)->read();
  ASSERT_FALSE(dead);
  EXPECT_NE(dead.error().message.find("status 9"), std::string::npos);
  const Result<Reading> again = (*source)->read();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_DOUBLE_EQ(again->value, 4);
}

}  // namespace
}  // namespace edgelm::device
