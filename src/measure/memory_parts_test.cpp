// Memory figures from recorded texts and from this kernel, and the verdict on paging.

#include "measure/memory_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "measure/other_load.h"
#include "measure/weight_pages.h"
#include "support/data.h"

namespace edgelm::measure {
namespace {

using ::testing::HasSubstr;

// Files of a machine that exist in the test alone.
class MapFiles final : public os::SystemFiles {
 public:
  [[nodiscard]] Result<std::string> read(const std::string& path) const override {
    const auto found = texts.find(path);
    if (found == texts.end()) return fail(ErrorCode::kNotFound, "{}: no such file", path);
    return found->second;
  }
  [[nodiscard]] std::vector<std::string> list(const std::string& /*path*/) const override {
    return {};
  }
  [[nodiscard]] Status write(const std::string& path, const std::string& text) const override {
    if (!texts.contains(path)) return fail(ErrorCode::kPermission, "{}: refused", path);
    written[path] = text;
    return {};
  }
  [[nodiscard]] std::string root() const override { return "/nowhere"; }

  std::map<std::string, std::string> texts;
  mutable std::map<std::string, std::string> written;
};

TEST(MemoryParts, ProportionalSetOfThisKernelsText) {
  MapFiles files;
  files.texts["/proc/self/smaps_rollup"] =
      "564625509000-7ffc8269e000 ---p 00000000 00:00 0    [rollup]\n"
      "Rss:                1728 kB\nPss:                 245 kB\nPss_Dirty:           112 kB\n"
      "Pss_Anon:            112 kB\nPss_File:            133 kB\nPss_Shmem:             7 kB\n";
  const ProportionalSet set = read_proportional_set(files);
  EXPECT_EQ(set.anonymous.value(), 112U * 1024);
  EXPECT_EQ(set.file.value(), 140U * 1024);                                // with shared memory
  files.texts["/proc/self/smaps_rollup"] = "Rss: 1728 kB\nPss: 245 kB\n";  // before Linux 5.4
  EXPECT_THAT(read_proportional_set(files).file.error().reason, HasSubstr("no 'Pss_File:'"));
  files.texts["/proc/self/smaps_rollup"] = "Pss_Anon: many kB\n";
  EXPECT_THAT(read_proportional_set(files).anonymous.error().reason, HasSubstr("no number"));
}

TEST(MemoryParts, PeakAndItsReset) {
  MapFiles files;
  EXPECT_FALSE(reset_peak(files));
  files.texts["/proc/self/clear_refs"] = "";
  EXPECT_TRUE(reset_peak(files));
  EXPECT_EQ(files.written["/proc/self/clear_refs"], "5");
  files.texts["/proc/self/status"] = "Name:\tx\nVmPeak:\t 9 kB\nVmHWM:\t    4242 kB\n";
  EXPECT_EQ(read_peak(files).value(), 4242U * 1024);
}

TEST(MemoryParts, ControlGroupsOfBothVersions) {
  MapFiles files;
  EXPECT_FALSE(read_cgroup_peak(files));
  files.texts["/proc/self/cgroup"] = "0::/user.slice/a b\n";
  files.texts["/sys/fs/cgroup/user.slice/a b/memory.peak"] = "123456\n";
  EXPECT_EQ(read_cgroup_peak(files).value(), 123456U);
  files.texts["/proc/self/cgroup"] = "9:name=systemd:/\n4:memory:/docker/1\n0::/\n";
  EXPECT_THAT(read_cgroup_peak(files).error().reason, HasSubstr("no control group"));
  // In a container the group is mounted as the root.
  files.texts["/sys/fs/cgroup/memory/memory.max_usage_in_bytes"] = "777\n";
  EXPECT_EQ(read_cgroup_peak(files).value(), 777U);
  files.texts["/sys/fs/cgroup/memory/docker/1/memory.max_usage_in_bytes"] = "99\n";
  EXPECT_EQ(read_cgroup_peak(files).value(), 99U);
  EXPECT_EQ(cgroup_peak_between(90U, 99U).value(), 99U);
  EXPECT_THAT(cgroup_peak_between(99U, 99U).error().reason, HasSubstr("had used more before"));
}

TEST(MemoryParts, FaultsWhateverTheProgramIsCalled) {
  MapFiles files;
  files.texts["/proc/self/stat"] = "17 (a) b) 1 2) R 1 2 3 4 5 6 7 8 31 10 11\n";
  files.texts["/proc/self/io"] = "rchar: 1\nread_bytes: 8192\n";
  files.texts["/proc/vmstat"] = "pgmajfault 5\nworkingset_refault_file 12\n";
  const Faults faults = read_faults(files);
  EXPECT_EQ(faults.major.value(), 31U);
  EXPECT_EQ(faults.storage_read_bytes.value(), 8192U);
  EXPECT_EQ(faults.refaulted_pages.value(), 12U);
  EXPECT_EQ(growth(10U, 31U).value(), 21U);
  EXPECT_FALSE(growth(31U, 10U));
  files.texts["/proc/self/stat"] = "17 (a) R 1";
  EXPECT_FALSE(read_faults(files).major);
}

TEST(MemoryParts, ThisKernelTells) {
  const auto files = os::system_files();
  const ProportionalSet set = read_proportional_set(*files);
  if (!set.anonymous) GTEST_SKIP() << set.anonymous.error().reason;
  constexpr std::size_t kBytes = 32U << 20;
  std::vector<char> memory(kBytes, 'x');
  const ProportionalSet more = read_proportional_set(*files);
  EXPECT_GE(*more.anonymous + (1U << 20), *set.anonymous + kBytes) << memory[17];
  EXPECT_GE(read_peak(*files).value(), kBytes);
  EXPECT_TRUE(read_faults(*files).major);
}

PagingEvidence cliff() {
  // An 8 GB board with a model of 8.5 GB: each token reads two thirds of it from the card.
  PagingEvidence evidence;
  evidence.seconds = 3200;
  evidence.major_faults = 900'000;
  evidence.storage_read_bytes = std::uint64_t{180} << 30;
  evidence.weights_resident = 0.66;
  evidence.weight_bytes = 8.5e9;
  evidence.weight_bytes_used = 32 * 8.5e9;
  evidence.bandwidth_share = 0.005;
  return evidence;
}

TEST(Paging, TheCliffIsNamed) {
  const PagingVerdict verdict = judge_paging(cliff());
  EXPECT_TRUE(verdict.paging);
  EXPECT_THAT(verdict.why, HasSubstr("read from storage again while measuring (57.6 MiB/s"));
  EXPECT_THAT(verdict.why, HasSubstr("66 % of the weights are in memory"));
  EXPECT_THAT(verdict.why, HasSubstr("0.5 % of the memory's bandwidth"));
}

TEST(Paging, ALateArrivalIsNone) {
  PagingEvidence evidence = cliff();
  evidence.storage_read_bytes = std::uint64_t{200} << 20;  // 0.08 % of what was used
  evidence.weights_resident = 1.0;
  EXPECT_FALSE(judge_paging(evidence).paging);
  evidence = cliff();
  evidence.major_faults = 0;  // something else of this process reads a file
  EXPECT_FALSE(judge_paging(evidence).paging);
  EXPECT_FALSE(judge_paging({}).paging);
}

TEST(Paging, WithoutIoFiguresRefaultsTell) {
  PagingEvidence evidence = cliff();
  evidence.storage_read_bytes = not_available("/proc/self/io: Permission denied");
  EXPECT_FALSE(judge_paging(evidence).paging);  // 900,000 faults of one page: 1.4 %
  evidence.refaulted_pages = 45'000'000;
  EXPECT_TRUE(judge_paging(evidence).paging);
}

TEST(OtherLoad, BusyProcessorsLessOurs) {
  CpuTimes begin{.t_ns = 0, .busy_s = 100, .own_s = 10};
  CpuTimes end{.t_ns = 10'000'000'000, .busy_s = 125, .own_s = 30};
  EXPECT_DOUBLE_EQ(other_load(begin, end).value(), 0.5);
  end.own_s = 40;  // ticks are coarse
  EXPECT_EQ(other_load(begin, end).value(), 0.0);
  end.t_ns = 100'000'000;
  EXPECT_FALSE(other_load(begin, end));
  EXPECT_FALSE(other_load(fail(ErrorCode::kNotFound, "no /proc"), end));
  MapFiles files;
  files.texts["/proc/stat"] = "cpu  100 0 50 1000 5 0 0 50 0 0\ncpu0 1 2 3\n";
  EXPECT_DOUBLE_EQ(read_cpu_times(files)->busy_s,
                   200.0 / static_cast<double>(::sysconf(_SC_CLK_TCK)));
  files.texts["/proc/stat"] = "intr 5\n";
  EXPECT_FALSE(read_cpu_times(files));
}

class PagesOfAFile : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "edgelm_pages_" + std::to_string(::getpid());
    std::ofstream(path_, std::ios::binary) << std::string(8U << 20, 'w');
  }
  void TearDown() override { std::filesystem::remove(path_); }
  std::string path_;
};

TEST_F(PagesOfAFile, AreCountedAndDropped) {
  EXPECT_GT(cached_share(path_).value(), 0.95);  // just written
  const auto files = os::system_files();
  const std::vector<std::string> paths = {path_};
  const Status dropped = drop_from_page_cache(paths, *files);
  if (!dropped) {  // a folder in memory
    EXPECT_THAT(dropped.error().message, HasSubstr("stayed in the page cache"));
    return;
  }
  EXPECT_LT(cached_share(path_).value(), 0.05);
  EXPECT_THAT(
      drop_from_page_cache(std::vector<std::string>{path_ + ".absent"}, *files).error().message,
      HasSubstr("No such file"));
}

TEST_F(PagesOfAFile, AreFoundByTheirAddress) {
  const auto map = os::MappedFile::open(path_);
  ASSERT_TRUE(map);
  std::vector<char> anonymous(1U << 20, 'x');
  plan::Plan plan;
  plan.weights.resize(2);
  plan.weights[0].data = map->bytes().subspan(4096, 1U << 20);
  plan.weights[1].data = as_byte_span({anonymous.data(), anonymous.size()});
  const auto ranges = weight_ranges(plan, nullptr);
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[0].data, plan.weights[0].data.data());
  const auto found = backing_files(plan, ranges, *os::system_files());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(std::filesystem::equivalent(found[0], path_));
  const Known<double> share = resident_share(ranges);
  ASSERT_TRUE(share) << share.error().reason;
  EXPECT_GT(*share, 0.9);
}

}  // namespace
}  // namespace edgelm::measure
