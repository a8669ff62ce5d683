#pragma once
// A scratch folder and images for the tests of the cache.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "cache/header.h"
#include "cache/weight_cache.h"

namespace edgelm::cache {

class CacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "edgelm_cache_XXXXXX";
    root_ = ::mkdtemp(name.data());
    options_.folder = root_ + "/weights";
    options_.min_image_bytes = 0;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] WeightCache cache() const { return WeightCache(options_); }

  static Key key(int i) { return {fmt::format("1:{}:3:4:5 abc\n", i), 1, 77}; }

  // Bytes that depend on `seed`, and are checked to by the tests that compare them.
  static std::vector<std::byte> content(std::uint64_t seed, std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i)
      bytes[i] = static_cast<std::byte>(random_bits(seed, i / 8) >> (8 * (i % 8)));
    return bytes;
  }
  static std::shared_ptr<const std::byte> image(std::uint64_t seed, std::size_t size) {
    const auto bytes = std::make_shared<std::vector<std::byte>>(content(seed, size));
    return {bytes, bytes->data()};
  }

  [[nodiscard]] StoreOutcome put(int i, std::size_t size, const std::string& label = "") const {
    return cache().store(key(i), label, image(static_cast<std::uint64_t>(i), size), size, 9).wait();
  }
  [[nodiscard]] bool has(int i, std::size_t size) const {
    const auto found = cache().find(key(i), size);
    if (!found) return false;
    const auto expected = content(static_cast<std::uint64_t>(i), size);
    EXPECT_TRUE(
        std::equal(expected.begin(), expected.end(), found->bytes().begin(), found->bytes().end()));
    return true;
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    if (!std::filesystem::exists(options_.folder)) return all;
    for (const auto& entry : std::filesystem::directory_iterator(options_.folder))
      all.push_back(entry.path().filename().string());
    return all;
  }
  // Of the only file.
  [[nodiscard]] std::string path() const { return options_.folder + "/" + names().at(0); }

  static void overwrite(const std::string& path, std::uint64_t at, const std::string& bytes) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file << bytes;
    ASSERT_TRUE(file.good());
  }
  static void flip(const std::string& path, std::uint64_t at) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const auto old = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(old ^ 0x10));
    ASSERT_TRUE(file.good());
  }

  std::string root_;
  Options options_;
};

}  // namespace edgelm::cache
