// Where the cache lies and how large it may grow.

#include <gmock/gmock.h>

#include <cstdlib>

#include "cache/weight_cache.h"

namespace edgelm::cache {
namespace {

class OptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"EDGELM_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "EDGELM_CACHE_LIMIT"})
      ::unsetenv(name);
  }
  static std::string folder() { return Options::from_environment()->folder; }
  static std::optional<std::uint64_t> limit(const char* text) {
    ::setenv("EDGELM_CACHE_LIMIT", text, 1);
    return Options::from_environment()->limit_bytes;
  }
};

TEST_F(OptionsTest, TheNearestFolderWins) {
  EXPECT_EQ(folder(), "");
  ::setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(folder(), "/home/ada/.cache/edgelm/weights");
  ::setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(folder(), "/home/ada/.cache/edgelm/weights");
  ::setenv("XDG_CACHE_HOME", "/var/cache", 1);
  EXPECT_EQ(folder(), "/var/cache/edgelm/weights");
  ::setenv("EDGELM_CACHE_DIR", "here", 1);
  EXPECT_EQ(folder(), "here/weights");
}

TEST_F(OptionsTest, Limits) {
  EXPECT_EQ(Options::from_environment()->limit_bytes, std::nullopt);
  EXPECT_EQ(limit("0"), 0U);
  EXPECT_EQ(limit("123"), 123U);
  EXPECT_EQ(limit("500M"), 500ULL << 20);
  EXPECT_EQ(limit("8GiB"), 8ULL << 30);
  EXPECT_EQ(limit("8GB"), 8ULL << 30);
  EXPECT_EQ(limit("7B"), 7U);
  for (const char* bad : {"", " ", "x", "8 G", "8Gi", "-1", "8X", "7BB", "99999999T", "1e9"}) {
    ::setenv("EDGELM_CACHE_LIMIT", bad, 1);
    const auto options = Options::from_environment();
    if (*bad == '\0') {
      EXPECT_TRUE(options) << "an empty variable is none";
      continue;
    }
    ASSERT_FALSE(options) << bad;
    EXPECT_EQ(options.error().code, ErrorCode::kUsage);
    EXPECT_THAT(options.error().message, ::testing::HasSubstr(bad));
  }
}

}  // namespace
}  // namespace edgelm::cache
