// What find() returns: the image that was stored, or nothing, whatever lies in the folder.

#include "cache/weight_cache.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "cache/test_folder.h"

namespace edgelm::cache {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::size_t kSize = (3 << 20) + 12345;

class WeightCacheTest : public CacheTest {};

TEST_F(WeightCacheTest, RoundTrip) {
  EXPECT_FALSE(has(1, kSize));
  EXPECT_FALSE(std::filesystem::exists(options_.folder)) << "looking makes nothing";
  const StoreOutcome outcome = put(1, kSize);
  EXPECT_EQ(outcome.state, StoreState::kStored) << outcome.reason;
  EXPECT_TRUE(has(1, kSize));
  EXPECT_FALSE(has(2, kSize));
  EXPECT_FALSE(std::filesystem::path(options_.folder).empty());
  EXPECT_NE(content(1, 100), content(2, 100));

  struct stat info {};
  ASSERT_EQ(::stat(options_.folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  const auto found = cache().find(key(1), kSize);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found->bytes().data()) % (2 << 20), 0U);
}

TEST_F(WeightCacheTest, ImageOutlivesItsFile) {
  ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
  const auto found = cache().find(key(1), kSize);
  ASSERT_TRUE(found);
  std::filesystem::remove_all(options_.folder);
  const auto expected = content(1, kSize);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), found->bytes().begin()));
}

TEST_F(WeightCacheTest, EveryPartOfTheKeyCounts) {
  ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
  Key other = key(1);
  other.layout_version = 2;
  EXPECT_FALSE(cache().find(other, kSize));
  other = key(1);
  other.table_hash = 78;
  EXPECT_FALSE(cache().find(other, kSize));
  EXPECT_FALSE(cache().find(key(1), kSize - 1));
  EXPECT_TRUE(has(1, kSize));
  // A file under the name of another key, as of a collision of hashes.
  ASSERT_EQ(put(2, kSize).state, StoreState::kStored);
  const auto all = cache().entries();
  ASSERT_THAT(all, SizeIs(2));
  const std::string a = options_.folder + "/" + all[0].id + ".packed";
  const std::string b = options_.folder + "/" + all[1].id + ".packed";
  std::filesystem::copy_file(a, b, std::filesystem::copy_options::overwrite_existing);
  EXPECT_NE(has(1, kSize), has(2, kSize));
}

TEST_F(WeightCacheTest, NothingIsKeptWhereNothingMayBe) {
  const Key nameless{"", 1, 77};
  EXPECT_EQ(cache().store(nameless, "", image(1, kSize), kSize, 0).wait().state,
            StoreState::kSkipped);
  options_.min_image_bytes = kSize + 1;
  EXPECT_EQ(put(1, kSize).state, StoreState::kSkipped);
  options_.min_image_bytes = kSize;
  options_.limit_bytes = 0;
  EXPECT_EQ(put(1, kSize).state, StoreState::kSkipped);
  options_.limit_bytes = kSize;  // the header does not fit as well
  EXPECT_EQ(put(1, kSize).state, StoreState::kSkipped);
  EXPECT_THAT(names(), SizeIs(0));
  options_ = {};
  EXPECT_EQ(put(1, kSize).state, StoreState::kSkipped);
  EXPECT_FALSE(has(1, kSize));
}

TEST_F(WeightCacheTest, DamagedFilesAreAbsentAndGo) {
  const std::vector<std::pair<const char*, std::function<void(const std::string&)>>> damages = {
      {"empty", [](const std::string& file) { std::filesystem::resize_file(file, 0); }},
      {"header only", [](const std::string& file) { std::filesystem::resize_file(file, 70'000); }},
      {"cut short",
       [](const std::string& file) {
         std::filesystem::resize_file(file, kImageOffset + kSize - 1);
       }},
      {"too long",
       [](const std::string& file) {
         std::filesystem::resize_file(file, kImageOffset + kSize + 1);
       }},
      {"magic", [](const std::string& file) { flip(file, 0); }},
      {"size", [](const std::string& file) { flip(file, 24); }},
      {"text", [](const std::string& file) { flip(file, 85); }},
      {"zeros", [](const std::string& file) { overwrite(file, 0, std::string(4096, '\0')); }}};
  for (const auto& [name, damage] : damages) {
    SCOPED_TRACE(name);
    ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
    ASSERT_TRUE(has(1, kSize));
    damage(path());
    EXPECT_FALSE(has(1, kSize));
    EXPECT_THAT(names(), SizeIs(0));
  }
}

TEST_F(WeightCacheTest, FilesOfAnotherVersionStay) {
  ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
  overwrite(path(), 8, "\x02");
  EXPECT_FALSE(has(1, kSize));
  EXPECT_THAT(names(), SizeIs(1));
  EXPECT_THAT(cache().entries().at(0).problem, HasSubstr("format 2"));
}

// A file whose writer could not wait for the disk has no mark: its image is checked.
TEST_F(WeightCacheTest, UnsettledImagesAreVerified) {
  ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
  overwrite(path(), kMarkOffset, std::string(8, '\0'));
  EXPECT_TRUE(has(1, kSize));
  overwrite(path(), kMarkOffset, std::string(8, '\0'));
  flip(path(), kImageOffset + kSize / 2);
  EXPECT_FALSE(has(1, kSize));
  EXPECT_THAT(names(), SizeIs(0));
}

TEST_F(WeightCacheTest, VerifyNamesADamagedImage) {
  ASSERT_EQ(put(1, kSize, "/models/a.gguf").state, StoreState::kStored);
  auto entry = cache().entries().at(0);
  EXPECT_EQ(entry.label, "/models/a.gguf");
  EXPECT_EQ(entry.file_bytes, kImageOffset + kSize);
  EXPECT_EQ(entry.problem, "");
  EXPECT_GT(entry.built_s, 1'700'000'000);
  EXPECT_TRUE(cache().verify(entry));
  flip(path(), kImageOffset + 5);
  const Status damaged = cache().verify(entry);
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().message, HasSubstr(entry.id));
  EXPECT_TRUE(cache().remove(entry));
  EXPECT_THAT(names(), SizeIs(0));
}

TEST_F(WeightCacheTest, LinksAndPipesAreRefused) {
  ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
  const std::string file = path();
  std::filesystem::rename(file, root_ + "/elsewhere");
  std::filesystem::create_symlink(root_ + "/elsewhere", file);
  EXPECT_FALSE(has(1, kSize));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/elsewhere"));
  std::filesystem::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_FALSE(has(1, kSize));  // and does not wait for a writer
}

TEST_F(WeightCacheTest, WhatOthersMayWriteIsRefused) {
  ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
  ASSERT_EQ(::chmod(path().c_str(), 0622), 0);
  EXPECT_FALSE(has(1, kSize));
  ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
  EXPECT_TRUE(has(1, kSize));
  ASSERT_EQ(::chmod(options_.folder.c_str(), 0777), 0);
  EXPECT_FALSE(has(1, kSize));
  const StoreOutcome outcome = put(2, kSize);
  EXPECT_EQ(outcome.state, StoreState::kFailed);
  EXPECT_THAT(outcome.reason, HasSubstr("others may write"));
}

TEST_F(WeightCacheTest, FilesOfAnotherUserAreRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(put(1, kSize).state, StoreState::kStored);
  ASSERT_EQ(::chown(path().c_str(), 65534, 65534), 0);
  EXPECT_FALSE(has(1, kSize));
  ASSERT_EQ(::chown(path().c_str(), 0, 0), 0);
  EXPECT_TRUE(has(1, kSize));
  ASSERT_EQ(::chown(options_.folder.c_str(), 65534, 65534), 0);
  EXPECT_FALSE(has(1, kSize));
}

}  // namespace
}  // namespace edgelm::cache
