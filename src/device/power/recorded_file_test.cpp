// Recorded traces: parsing, replay, following a file that a meter is writing.

#include "device/power/recorded_file.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "support/scripted_files.h"

namespace edgelm::device {
namespace {

using test::VirtualTime;

class RecordedFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "edgelm_trace_" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv";
  }
  void TearDown() override { std::remove(path_.c_str()); }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  void append(const std::string& text) const { std::ofstream(path_, std::ios::app) << text; }

  VirtualTime time_;
  std::string path_;
};

TEST_F(RecordedFileTest, WattsAreReplayedFromTheFirstReading) {
  write("# of a meter\nt_s,watts\r\n0,2\r\n1,4\r\n3,4\n\n");
  auto source = open_recorded_file(path_, time_.clock());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_FALSE((*source)->info().counter);
  EXPECT_EQ((*source)->info().scope, Scope::kUnknown);
  EXPECT_DOUBLE_EQ((*source)->read()->value, 2);
  time_.advance(0.5);
  EXPECT_DOUBLE_EQ((*source)->read()->value, 3);
  time_.advance(2.5);
  EXPECT_DOUBLE_EQ((*source)->read()->value, 4);
  time_.advance(0.1);
  const Result<Reading> over = (*source)->read();
  ASSERT_FALSE(over);
  EXPECT_NE(over.error().message.find("ends after 3.000 s"), std::string::npos);
}

TEST_F(RecordedFileTest, JoulesCountFromTheFirstReading) {
  write("t_s,joules\n10,1000\n12,1010\n");
  auto source = open_recorded_file(path_, time_.clock());
  ASSERT_TRUE(source);
  EXPECT_TRUE((*source)->info().counter);
  EXPECT_DOUBLE_EQ((*source)->read()->value, 0);
  time_.advance(1);
  EXPECT_DOUBLE_EQ((*source)->read()->value, 5);
}

TEST_F(RecordedFileTest, UnixTimesFollowTheFileThatGrows) {
  write("t_s,watts\n1700000000,5\n1700000001,6\n");
  std::int64_t wall = 1'700'000'001'500'000'000;
  auto source = open_recorded_file(path_, time_.clock(), [&] { return wall; });
  ASSERT_TRUE(source);
  const Result<Reading> first = (*source)->read();
  ASSERT_TRUE(first);
  EXPECT_DOUBLE_EQ(first->value, 6);
  EXPECT_NEAR(static_cast<double>(time_.ns - first->t_ns), 5e8, 1e3);
  append("1700000002,7\n17000000");  // the meter is in the middle of a line
  wall += 1'000'000'000;
  time_.advance(1);
  const Result<Reading> next = (*source)->read();
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_DOUBLE_EQ(next->value, 7);
  EXPECT_NEAR(static_cast<double>(next->t_ns - first->t_ns), 1e9, 1e3);
  std::remove(path_.c_str());
  EXPECT_FALSE((*source)->read());
}

TEST_F(RecordedFileTest, WhatIsNoTraceIsRefusedWithItsLine) {
  for (const auto& [text, words] : {std::pair{"", "0 readings"},
                                    {"time,power\n1,2\n", "line 1"},
                                    {"t_s,watts\n1,2\n", "1 readings"},
                                    {"t_s,watts\n1,2\n2,x\n", "line 3"},
                                    {"t_s,watts\n1,2\n2\n", "line 3"},
                                    {"t_s,watts\n1,2\n1,3\n", "line 3"},
                                    {"t_s,watts\n1,2\n2,-3\n", "line 3"},
                                    {"t_s,joules\n0,0\n0.01,1e300\n", "line 3"},
                                    {"t_s,joules\n0,0\n0.01,1e4\n0.02,2e4\n", "line 4"},
                                    {"t_s,watts\n1,2\n2,nan\n", "line 3"},
                                    {"t_s,watts\n1,2\n2,1e99\n", "line 3"},
                                    {"t_s,joules\n1,2\n2,1\n", "line 3"}}) {
    write(text);
    const auto source = open_recorded_file(path_, time_.clock());
    ASSERT_FALSE(source) << text;
    EXPECT_NE(source.error().message.find(words), std::string::npos) << source.error().message;
    EXPECT_NE(source.error().message.find(path_), std::string::npos);
  }
  EXPECT_FALSE(open_recorded_file(path_ + ".absent", time_.clock()));
}

}  // namespace
}  // namespace edgelm::device
