// Storage of the machine that runs the test, and what has no speed to tell.

#include "measure/storage_speed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace edgelm::measure {
namespace {

using ::testing::HasSubstr;

TEST(StorageSpeed, OfAFolderLeavesNothingBehind) {
  std::string folder = ::testing::TempDir() + "edgelm_storage_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto speed = storage_speed({.path = folder, .file_bytes = 32U << 20, .write_seconds = 20});
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  if (speed) {
    EXPECT_GT(speed->bytes_per_s, 1e5);
    EXPECT_GE(speed->bytes, 8U << 20);
    EXPECT_LE(speed->bytes, 32U << 20);
  } else {
    EXPECT_THAT(speed.error().reason, HasSubstr(folder));
  }
  // A file that is there, without writing.
  const std::string path = folder + "/file";
  std::ofstream(path) << std::string(20U << 20, 'x');
  const auto of_file = storage_speed({.path = path});
  EXPECT_EQ(of_file.has_value(), speed.has_value());
  std::filesystem::remove_all(folder);
}

TEST(StorageSpeed, SaysWhyThereIsNone) {
  EXPECT_THAT(storage_speed({.path = "/nowhere"}).error().reason, HasSubstr("/nowhere: No such"));
  EXPECT_THAT(storage_speed({.path = "/dev/null"}).error().reason, HasSubstr("/dev"));
  const std::string small = ::testing::TempDir() + "edgelm_small";
  std::ofstream(small) << "text";
  EXPECT_THAT(storage_speed({.path = small}).error().reason, HasSubstr("at least 16 MiB"));
  std::filesystem::remove(small);
  if (std::filesystem::exists("/dev/shm")) {
    EXPECT_THAT(storage_speed({.path = "/dev/shm"}).error().reason, HasSubstr("tmpfs"));
  }
}

}  // namespace
}  // namespace edgelm::measure
