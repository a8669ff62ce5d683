// How images come to lie in the folder: whole or not at all, within the limit, by many at once.

#include "cache/store.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <limits>
#include <thread>

#include "cache/test_folder.h"

namespace edgelm::cache {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::size_t kSize = (9 << 20) + 100;  // two blocks
constexpr std::uint64_t kFileBytes = kImageOffset + kSize;

class StoreTest : public CacheTest {
 protected:
  // As if the file of this key had last been used `seconds` ago.
  void age(int i, std::int64_t seconds) const {
    const auto found = cache().find(key(i), kSize);  // becomes the last used
    ASSERT_TRUE(found);
    const std::string file = options_.folder + "/" + cache().entries().at(0).id + ".packed";
    std::filesystem::last_write_time(
        file, std::filesystem::file_time_type::clock::now() - std::chrono::seconds(seconds));
  }
  // Address space that takes no memory, as an image that takes long to write.
  static std::shared_ptr<const std::byte> zeros(std::size_t size) {
    void* const map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return {static_cast<const std::byte*>(map),
            [size](const std::byte* start) { ::munmap(const_cast<std::byte*>(start), size); }};
  }
};

TEST_F(StoreTest, TheLongestUnusedGoFirst) {
  options_.limit_bytes = 3 * kFileBytes;
  for (int i = 1; i <= 3; ++i) ASSERT_EQ(put(i, kSize).state, StoreState::kStored);
  age(1, 30);
  age(2, 20);
  age(3, 10);
  ASSERT_TRUE(has(1, kSize));  // used now
  ASSERT_EQ(put(4, kSize).state, StoreState::kStored);
  EXPECT_FALSE(has(2, kSize));
  EXPECT_TRUE(has(1, kSize));
  EXPECT_TRUE(has(3, kSize));
  EXPECT_TRUE(has(4, kSize));
  options_.limit_bytes = kFileBytes;
  ASSERT_EQ(put(5, kSize).state, StoreState::kStored);
  EXPECT_TRUE(has(5, kSize));
  EXPECT_THAT(names(), SizeIs(1));
}

TEST_F(StoreTest, AnotherImageOfTheSameFileTakesItsPlace) {
  ASSERT_EQ(put(1, kSize, "/models/a.gguf").state, StoreState::kStored);
  ASSERT_EQ(put(2, kSize, "/models/b.gguf").state, StoreState::kStored);
  ASSERT_EQ(put(3, kSize, "/models/a.gguf").state, StoreState::kStored);
  EXPECT_FALSE(has(1, kSize));
  EXPECT_TRUE(has(2, kSize));
  EXPECT_TRUE(has(3, kSize));
}

TEST_F(StoreTest, InterruptedLeavesNothing) {
  options_.exit_seconds = 0;
  constexpr std::size_t kLong = std::size_t{1} << 30;
  { const Store store = cache().store(key(1), "", zeros(kLong), kLong, 0); }
  EXPECT_THAT(names(), SizeIs(0));
}

TEST_F(StoreTest, TheEndOfTheProgramFinishesAFile) {
  options_.exit_seconds = 60;
  { const Store store = cache().store(key(1), "", image(1, kSize), kSize, 0); }
  ASSERT_THAT(names(), SizeIs(1));
  EXPECT_TRUE(has(1, kSize));
}

TEST_F(StoreTest, ManyThreadsOfOneKey) {
  std::vector<Store> stores;
  stores.reserve(4);
  for (int i = 0; i < 4; ++i)
    stores.push_back(cache().store(key(1), "/models/a.gguf", image(1, kSize), kSize, 0));
  for (Store& store : stores) EXPECT_EQ(store.wait().state, StoreState::kStored);
  EXPECT_TRUE(has(1, kSize));
  EXPECT_THAT(names(), SizeIs(1));
}

TEST_F(StoreTest, ManyProcessesOfOneKeyAndOthers) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const bool good = put(1 + i / 3, kSize).state == StoreState::kStored && has(1 + i / 3, kSize);
      ::_exit(good ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(has(1, kSize));
  EXPECT_TRUE(has(2, kSize));
  EXPECT_THAT(names(), SizeIs(2));
}

// A killed writer's file goes when it is old enough; a living one's stays.
TEST_F(StoreTest, FilesOfTheDeadAreRemoved) {
  std::filesystem::create_directories(options_.folder);
  ASSERT_EQ(::chmod(options_.folder.c_str(), 0700), 0);
  for (const char* name : {"old.unfinished", "young.unfinished"}) {
    std::ofstream(options_.folder + "/" + name) << "x";
    ASSERT_EQ(::chmod((options_.folder + "/" + name).c_str(), 0600), 0);
  }
  std::filesystem::last_write_time(
      options_.folder + "/old.unfinished",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
  EXPECT_FALSE(std::filesystem::exists(options_.folder + "/old.unfinished"));
  EXPECT_TRUE(std::filesystem::exists(options_.folder + "/young.unfinished"));
}

TEST_F(StoreTest, NoRoomIsSaidOnceAndLeavesNothing) {
  std::vector<std::string> notices;
  options_.limit_bytes = std::numeric_limits<std::uint64_t>::max();
  options_.notice = [&](const std::string& text) { notices.push_back(text); };
  // Never read: the system is asked for space before.
  constexpr std::uint64_t kHuge = 1ULL << 59;
  const StoreOutcome outcome = cache().store(key(1), "", image(1, kSize), kHuge, 0).wait();
  EXPECT_EQ(outcome.state, StoreState::kFailed);
  EXPECT_THAT(outcome.reason, HasSubstr("reserve space"));
  ASSERT_THAT(notices, SizeIs(1));
  EXPECT_THAT(notices[0], HasSubstr("are not kept for the next start"));
  EXPECT_THAT(names(), SizeIs(0));
}

TEST_F(StoreTest, LimitOnFileSizesDoesNotKill) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit limit{1 << 20, 1 << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::_exit(put(1, kSize).state == StoreState::kFailed ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_THAT(names(), SizeIs(0));
}

TEST_F(StoreTest, FoldersThatCannotBeMade) {
  std::ofstream(root_ + "/file") << "x";
  options_.folder = root_ + "/file/weights";
  EXPECT_EQ(put(1, kSize).state, StoreState::kFailed);
  EXPECT_FALSE(has(1, kSize));
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ASSERT_EQ(::chmod(root_.c_str(), 0500), 0);
  options_.folder = root_ + "/weights";
  EXPECT_EQ(put(1, kSize).state, StoreState::kFailed);
  ASSERT_EQ(::chmod(root_.c_str(), 0700), 0);
}

}  // namespace
}  // namespace edgelm::cache
