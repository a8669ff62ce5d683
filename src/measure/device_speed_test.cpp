// Speeds of the machine that runs the test: every figure is there and plausible, and what is kept
// comes back only under the conditions in which it was measured.

#include "measure/device_speed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "device/passport_json.h"
#include "kernels/kernels.h"
#include "os/system_files.h"
#include "support/emulated.h"

namespace edgelm::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(DeviceSpeed, ThreadCounts) {
  EXPECT_THAT(thread_counts(1), ElementsAre(1));
  EXPECT_THAT(thread_counts(2), ElementsAre(1, 2));
  EXPECT_THAT(thread_counts(4), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(thread_counts(6), ElementsAre(1, 2, 3, 4, 6));
  EXPECT_THAT(thread_counts(16), ElementsAre(1, 2, 3, 4, 6, 8, 12, 16));
  EXPECT_THAT(thread_counts(0), ElementsAre(1));
}

TEST(DeviceSpeed, MeasuresEveryFigureAndTellsHowFarItIs) {
  std::uint64_t last = 0;
  std::uint64_t all = 0;
  const auto speeds =
      measure_speeds({.threads = 2, .rounds = 1, .types = {"Q4_0", "f16"}},
                     [&](std::uint64_t done, std::uint64_t total, const std::string& what) {
                       EXPECT_TRUE(total > done && !what.empty());
                       EXPECT_GE(done, last);
                       last = done;
                       all = total;
                     });
  ASSERT_TRUE(speeds) << speeds.error().message;
  EXPECT_EQ(last + 2, all);  // the last step is the storage, which was not asked for
  EXPECT_EQ(speeds->origin, Origin::kMeasured);
  ASSERT_EQ(speeds->kernels.size(), 6U);
  EXPECT_EQ(speeds->kernels[0].type, "Q4_0");
  EXPECT_EQ(speeds->kernels[3].type, "F16");
  for (const auto* figures :
       {&speeds->read_bytes_per_s, &speeds->int8_ops_per_s, &speeds->f32_ops_per_s,
        &speeds->kernels[0].per_threads, &speeds->kernels[1].per_threads,
        &speeds->kernels[2].per_threads, &speeds->kernels[5].per_threads}) {
    ASSERT_EQ(figures->size(), 2U);
    for (std::uint32_t i = 0; i < 2; ++i) {
      EXPECT_EQ((*figures)[i].threads, i + 1);
      EXPECT_GT((*figures)[i].value, 1e7);
      EXPECT_LT((*figures)[i].value, 1e14);
    }
  }
  // Kernels cannot multiply faster than the peak of their instructions: within noise of a busy
  // machine, of which a factor of two is far beyond.
  EXPECT_LT(speeds->kernels[2].per_threads[0].value, speeds->int8_ops_per_s[0].value);
  EXPECT_EQ(speeds->storage_bytes_per_s.error().reason, "not measured");
  const auto back = device::speeds_from_json(device::to_json(*speeds), "speeds");
  ASSERT_TRUE(back) << back.error().message;
}

TEST(DeviceSpeed, RefusesWhatItDoesNotKnow) {
  const auto type = measure_speeds({.types = {"Q9_9"}});
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().code, ErrorCode::kUsage);
  EXPECT_THAT(type.error().message, HasSubstr("Q9_9"));
  EXPECT_FALSE(measure_speeds({.isa = "mmx"}));
}

// What the passport reads from /proc/cpuinfo is what the kernels are chosen by.
TEST(DeviceSpeed, ThePassportListsTheKernelsThatRunHere) {
  if (test::is_emulated()) GTEST_SKIP() << "/proc/cpuinfo is of another machine";
  std::vector<std::string> sets;
  for (const kernels::Kernels* set : kernels::all_kernels())
    if (kernels::runs_here(*set)) sets.emplace_back(set->name);
  EXPECT_EQ(device::describe(*os::system_files()).cpu.isa, sets);
}

class SpeedsFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "edgelm_speeds_XXXXXX";
    folder_ = ::mkdtemp(name.data());
    ::setenv("EDGELM_CACHE_DIR", (folder_ + "/cache").c_str(), 1);
    ::setenv("EDGELM_CACHE_LIMIT", "1G", 1);
    speeds_.read_bytes_per_s = {{1, 9e9}};
    speeds_.kernels = {{"Q4_0", "decode", {{1, 8e9}}}};
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    ::unsetenv("EDGELM_CACHE_DIR");
    ::setenv("EDGELM_CACHE_LIMIT", "0", 1);
  }

  std::string folder_;
  SpeedKey key_{"0123456789abcdef", "1.0 build", "nvpmodel 15W"};
  device::Speeds speeds_;
};

TEST_F(SpeedsFile, KeepsThemForTheSameConditions) {
  EXPECT_EQ(load_speeds(key_).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(save_speeds(key_, speeds_));
  const auto back = load_speeds(key_);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->kernels.at(0).per_threads.at(0).value, 8e9);
  SpeedKey other = key_;
  other.power_mode = "nvpmodel 25W";
  EXPECT_THAT(load_speeds(other).error().message, HasSubstr("another power mode"));
  other = key_;
  other.build = "1.1";
  EXPECT_THAT(load_speeds(other).error().message, HasSubstr("another build"));
  other = key_;
  other.fingerprint = "fedcba9876543210";
  EXPECT_EQ(load_speeds(other).error().code, ErrorCode::kNotFound);
}

TEST_F(SpeedsFile, DamageIsAnError) {
  ASSERT_TRUE(save_speeds(key_, speeds_));
  const std::string path = folder_ + "/cache/speeds-0123456789abcdef.json";
  for (const char* text :
       {"", "{", "[]", R"({"build":1})", R"({"build":"1.0 build"})",
        R"({"build":"1.0 build","power_mode":"nvpmodel 15W"})",
        R"({"build":"1.0 build","power_mode":"nvpmodel 15W","speeds":{"kernels":7}})"}) {
    std::ofstream(path) << text;
    EXPECT_FALSE(load_speeds(key_)) << text;
  }
}

TEST_F(SpeedsFile, AFingerprintIsNoPath) {
  SpeedKey key = key_;
  key.fingerprint = "../../etc/passwd";
  EXPECT_FALSE(save_speeds(key, speeds_));
  EXPECT_FALSE(load_speeds(key));
}

TEST_F(SpeedsFile, WithoutACacheNothingIsKept) {
  ::setenv("EDGELM_CACHE_LIMIT", "0", 1);
  EXPECT_FALSE(save_speeds(key_, speeds_));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/cache"));
}

}  // namespace
}  // namespace edgelm::measure
