// edgelm cache over a cache with files in it, which the library stores: a model large enough to be
// kept is too large for a test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "api/json.h"
#include "cache/weight_cache.h"
#include "process.h"

namespace edgelm::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CacheCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = work_folder() + "/full";
    cache::Options options;
    options.folder = folder_ + "/weights";
    options.min_image_bytes = 0;
    cache_ = std::make_unique<cache::WeightCache>(options);
    store("alpha", "/models/alpha.gguf");
    store("beta", "/models/b\x1b[31meta.gguf");  // hostile: it must not reach a terminal
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void store(const std::string& source, const std::string& label) const {
    const auto bytes = std::make_shared<std::vector<std::byte>>(100'000, std::byte{7});
    const auto outcome =
        cache_->store({source, 1, 2}, label, {bytes, bytes->data()}, bytes->size(), 3).wait();
    ASSERT_EQ(outcome.state, cache::StoreState::kStored) << outcome.reason;
  }
  [[nodiscard]] Outcome edgelm(const std::string& arguments) const {
    return run("EDGELM_CACHE_DIR='" + folder_ + "' edgelm cache " + arguments);
  }
  [[nodiscard]] std::string key_of(const std::string& label) const {
    for (const cache::Entry& entry : cache_->entries())
      if (entry.label == label) return entry.id;
    return "absent";
  }

  std::string folder_;
  std::unique_ptr<cache::WeightCache> cache_;
};

TEST_F(CacheCommand, ListsAsTableAndJson) {
  const Outcome table = edgelm("list");
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_THAT(table.out, AllOf(HasSubstr("/models/alpha.gguf"), HasSubstr("the model is gone"),
                               HasSubstr("2 files, 4.2 of at most"), Not(HasSubstr("\x1b"))));
  const Outcome json = edgelm("list -o json");
  const auto parsed = api::Json::parse(json.out, nullptr, false);
  ASSERT_FALSE(parsed.is_discarded()) << json.out;
  ASSERT_EQ(parsed["files"].size(), 2U);
  EXPECT_EQ(parsed["bytes"], 2 * ((2 << 20) + 100'000));
  EXPECT_EQ(parsed["files"][0]["problem"], "the model is gone");
}

TEST_F(CacheCommand, VerifyFindsDamageThatAStartDoesNotSee) {
  EXPECT_EQ(edgelm("verify").exit_code, 0);
  const std::string key = key_of("/models/alpha.gguf");
  {
    std::fstream file(folder_ + "/weights/" + key + ".packed",
                      std::ios::binary | std::ios::in | std::ios::out);
    file.seekp((2 << 20) + 50'000);
    file.put('x');
  }
  const Outcome bad = edgelm("verify");
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.out, AllOf(HasSubstr("BAD  " + key), HasSubstr("ok ")));
  EXPECT_THAT(bad.err, HasSubstr("1 of 2 files"));
  EXPECT_EQ(edgelm("clear " + key).exit_code, 0);
  EXPECT_EQ(edgelm("verify").exit_code, 0);
}

TEST_F(CacheCommand, ClearsByModelAndAll) {
  const Outcome one = edgelm("clear /models/../models/alpha.gguf");
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_THAT(one.out, HasSubstr("removed 1 file,"));
  EXPECT_EQ(cache_->entries().size(), 1U);
  EXPECT_THAT(edgelm("clear --all").out, HasSubstr("removed 1 file,"));
  EXPECT_EQ(cache_->entries().size(), 0U);
}

}  // namespace
}  // namespace edgelm::e2e
