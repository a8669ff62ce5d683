// Programs that print, fail, hang, flood and leave children, as shell scripts below a root.

#include "os/program.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "os/clock.h"

namespace edgelm::os {
namespace {

class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "edgelm_program_XXXXXX";
    root_ = ::mkdtemp(name.data());
    std::filesystem::create_directories(root_ + "/usr/bin");
    files_ = system_files(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void script(const std::string& name, const std::string& body, unsigned mode = 0755) const {
    const std::string path = root_ + "/usr/bin/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << body;
    ::chmod(path.c_str(), mode);
  }

  std::string root_;
  std::unique_ptr<SystemFiles> files_;
};

TEST_F(ProgramTest, GivesOutputErrorsAndStatus) {
  script("tell", "echo \"$1-$2\"; echo trouble >&2; exit 3\n");
  const auto run = run_program(*files_, {"tell", "a b", "$HOME"});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->out, "a b-$HOME\n");  // no shell has seen the arguments
  EXPECT_EQ(run->err, "trouble\n");
  EXPECT_EQ(run->exit_status, 3);
}

TEST_F(ProgramTest, OutputOfAFailureIsItsError) {
  script("broken", "echo out; echo 'no /dev/vcio' >&2; exit 1\n");
  const auto output = program_output(*files_, {"broken"});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().message, "broken ended with status 1: no /dev/vcio");
  script("fine", "echo out; echo 'a warning' >&2\n");
  EXPECT_EQ(program_output(*files_, {"fine"}).value_or("?"), "out\n");
}

TEST_F(ProgramTest, SpeaksEnglishAndHasNoInput) {
  script("ask", "echo \"$LC_ALL\"; read answer || echo end\n");
  EXPECT_EQ(program_output(*files_, {"ask"}).value_or("?"), "C\nend\n");
}

TEST_F(ProgramTest, AHangingProgramEndsWithItsChildren) {
  script("hang", "sleep 100 & echo $! > \"$(dirname \"$0\")/child\"; echo before; wait\n");
  const std::int64_t start = now_ns();
  const auto run = run_program(*files_, {"hang"}, {.seconds = 0.5});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kIo);
  EXPECT_NE(run.error().message.find("hang did not end"), std::string::npos);
  EXPECT_LT(ns_to_s(now_ns() - start), 20);
  pid_t child = 0;
  std::ifstream(root_ + "/usr/bin/child") >> child;
  ASSERT_GT(child, 1);
  // Gone, or a zombie that waits for whoever adopts it: it runs no more. A busy machine takes a
  // while to end what was killed.
  const std::string path = "/proc/" + std::to_string(child) + "/stat";
  const auto runs = [&] {
    const auto stat = system_files()->read(path);
    return stat && stat->find(") Z") == std::string::npos;
  };
  const std::int64_t killed = now_ns();
  while (runs() && ns_to_s(now_ns() - killed) < 20) ::usleep(1000);
  EXPECT_FALSE(runs());
}

TEST_F(ProgramTest, AChildLeftBehindDoesNotDelay) {
  script("leave", "sleep 100 & echo done\n");
  const std::int64_t start = now_ns();
  EXPECT_EQ(program_output(*files_, {"leave"}, {.seconds = 60}).value_or("?"), "done\n");
  EXPECT_LT(ns_to_s(now_ns() - start), 30);
}

TEST_F(ProgramTest, AFloodIsCut) {
  script("flood", "while :; do echo 0123456789012345678901234567890123456789; done\n");
  const auto run = run_program(*files_, {"flood"}, {.seconds = 60, .output_bytes = 10000});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::kLimit);
}

TEST_F(ProgramTest, MuchOutputOnBothStreamsArrivesWhole) {
  script("much",
         "i=0; while [ $i -lt 5000 ]; do echo 0123456789012345678; echo 987654321 >&2; "
         "i=$((i+1)); done\n");
  const auto run = run_program(*files_, {"much"}, {.seconds = 60});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->out.size(), 100000U);
  EXPECT_EQ(run->err.size(), 50000U);
}

TEST_F(ProgramTest, IsFoundBelowTheRootAlone) {
  const auto absent = find_program("sh", root_);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::kNotFound);
  EXPECT_NE(absent.error().message.find(root_ + "/usr/bin"), std::string::npos);
  script("data", "echo no\n", 0644);
  EXPECT_FALSE(find_program("data", root_));
  std::filesystem::create_directories(root_ + "/usr/bin/folder");
  EXPECT_FALSE(find_program("folder", root_));
  EXPECT_TRUE(find_program("sh", ""));
  EXPECT_FALSE(find_program("edgelm-has-no-such-program", ""));
  EXPECT_FALSE(find_program("", ""));
}

TEST_F(ProgramTest, ASignalIsAStatus) {
  script("die", "kill -9 $$\n");
  const auto run = run_program(*files_, {"die"});
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->exit_status, 128 + 9);
}

TEST_F(ProgramTest, WhatIsNoProgramIsAnError) {
  const std::string path = root_ + "/usr/bin/noise";
  std::ofstream(path) << "\x7f"
                      << "ELF garbage";
  ::chmod(path.c_str(), 0755);
  EXPECT_FALSE(program_output(*files_, {"noise"}));
  EXPECT_FALSE(run_program(*files_, {}));
}

}  // namespace
}  // namespace edgelm::os
