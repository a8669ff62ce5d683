// Files, clock, processor and memory on the machine that runs the test.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "os/clock.h"
#include "os/cpu.h"
#include "os/file.h"
#include "os/memory.h"

namespace edgelm::os {
namespace {

std::string temporary_path(const char* name) {
  return ::testing::TempDir() + "edgelm_os_test_" + name;
}

TEST(File, WritesWholeAndMapsTheSameBytes) {
  const std::string path = temporary_path("roundtrip");
  const std::string content("some\0bytes", 10), second = "other";
  ASSERT_TRUE(write_file_atomic(path, content));
  ASSERT_TRUE(write_file_atomic(path, second));
  const auto mapped = MappedFile::open(path);
  ASSERT_TRUE(mapped) << mapped.error().message;
  EXPECT_EQ(as_chars(mapped->bytes()), second);
  EXPECT_EQ(read_file(path, 100), second);
  EXPECT_EQ(file_size(path), second.size());
  std::remove(path.c_str());
}

TEST(File, MissingFileSaysSo) {
  const auto mapped = MappedFile::open("/nowhere/model.gguf");
  ASSERT_FALSE(mapped);
  EXPECT_EQ(mapped.error().code, ErrorCode::kNotFound);
  EXPECT_NE(mapped.error().message.find("/nowhere/model.gguf"), std::string::npos);
}

TEST(File, APipeIsRefusedWithoutWaitingForAWriter) {
  const std::string path = temporary_path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(MappedFile::open(path));
  std::remove(path.c_str());
}

TEST(File, DirectoryAndLimitAreErrors) {
  EXPECT_FALSE(MappedFile::open("/"));
  const std::string path = temporary_path("limit");
  ASSERT_TRUE(write_file_atomic(path, "12345"));
  const auto limited = read_file(path, 4);
  ASSERT_FALSE(limited);
  EXPECT_EQ(limited.error().code, ErrorCode::kLimit);
  EXPECT_TRUE(read_file(path, 5));
  std::remove(path.c_str());
}

TEST(File, LinksAndModesStayWhenWrittenAnew) {
  const std::string target = ::testing::TempDir() + "edgelm_os_test_target";
  const std::string link = ::testing::TempDir() + "edgelm_os_test_link";
  std::remove(link.c_str());
  std::remove(target.c_str());
  ASSERT_EQ(::symlink("edgelm_os_test_target", link.c_str()), 0);
  ASSERT_TRUE(write_file_atomic(link, "one")) << "through a link to what is not there yet";
  EXPECT_EQ(*read_file(target, 100), "one");
  ASSERT_EQ(::chmod(target.c_str(), 0600), 0);
  ASSERT_TRUE(write_file_atomic(link, "two"));
  EXPECT_EQ(*read_file(target, 100), "two");
  struct stat info {};
  ASSERT_EQ(::stat(target.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  ASSERT_EQ(::lstat(link.c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
  std::remove(link.c_str());
  ASSERT_EQ(::symlink("edgelm_os_test_link", link.c_str()), 0);
  const Status circle = write_file_atomic(link, "x");
  ASSERT_FALSE(circle);
  EXPECT_NE(circle.error().message.find("links"), std::string::npos) << circle.error().message;
  std::remove(link.c_str());
  std::remove(target.c_str());
}

TEST(File, DevicesAreWrittenToAndStayDevices) {
  ASSERT_TRUE(write_file_atomic("/dev/null", "gone"));
  const Status full = write_file_atomic("/dev/full", "x");
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message.find("/dev/full"), std::string::npos);
  for (const char* device : {"/dev/null", "/dev/full"}) {
    struct stat info {};
    ASSERT_EQ(::lstat(device, &info), 0);
    EXPECT_TRUE(S_ISCHR(info.st_mode)) << device;
  }
  EXPECT_FALSE(write_file_atomic(::testing::TempDir(), "x")) << "a folder";
}

TEST(File, LargeMappingsStartAtHugePages) {
  const std::string path = temporary_path("large");
  std::string content(5 << 20, 'x');
  content[2 << 20] = 'y';
  content.back() = 'z';
  ASSERT_TRUE(write_file_atomic(path, content));
  const auto mapped = MappedFile::open(path);
  ASSERT_TRUE(mapped) << mapped.error().message;
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mapped->bytes().data()) % (2 << 20), 0U);
  EXPECT_EQ(as_chars(mapped->bytes()), content);
  EXPECT_EQ(mapped->stamp(), "") << "it has only just been written";

  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const auto part = MappedFile::of_range(descriptor, path, 2 << 20, 3 << 20);
  ::close(descriptor);
  ASSERT_TRUE(part) << part.error().message;
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(part->bytes().data()) % (2 << 20), 0U);
  EXPECT_EQ(as_chars(part->bytes()), std::string_view(content).substr(2 << 20));
  std::remove(path.c_str());
}

TEST(File, EmptyFileMapsToNothing) {
  const std::string path = temporary_path("empty");
  ASSERT_TRUE(write_file_atomic(path, ""));
  const auto mapped = MappedFile::open(path);
  ASSERT_TRUE(mapped);
  EXPECT_TRUE(mapped->bytes().empty());
  std::remove(path.c_str());
}

TEST(Clock, MovesForward) {
  const auto first = now_ns();
  EXPECT_GE(now_ns(), first);
}

TEST(Cpu, HasAtLeastOneOfEverything) {
  EXPECT_GE(usable_cpus(), 1);
  EXPECT_GE(usable_cores(), 1);
  EXPECT_LE(usable_cores(), usable_cpus());
  EXPECT_FALSE(cpu_name().empty());
}

TEST(Memory, FiguresAreConsistent) {
  EXPECT_GT(current_rss_bytes(), 0U);
  // The kernel updates the two counters at different moments.
  const std::uint64_t current = current_rss_bytes();
  EXPECT_GE(peak_rss_bytes() + (1U << 20), current);
  EXPECT_GE(total_memory_bytes(), available_memory_bytes());
}

}  // namespace
}  // namespace edgelm::os
