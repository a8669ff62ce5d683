#include "report/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "os/file.h"
#include "report/store_schema.h"
#include "support/record_fixture.h"

namespace edgelm::report {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = ::testing::TempDir() + "edgelm_store_" + name + "_" + std::to_string(::getpid());
    std::filesystem::create_directories(folder_);
    path_ = folder_ + "/a %3f folder?/records.sqlite";  // characters that file: URIs know
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Store open(Store::Options options = {}) const {
    auto store = Store::open(path_, options);
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
  }
  [[nodiscard]] Result<Store> read() const {
    return Store::open(path_, {.mode = Store::Mode::kRead});
  }
  void fill(int n) const {
    Store store = open();
    for (int i = 0; i < n; ++i) {
      measure::Record record = test::full_measure_record("cell-" + std::to_string(i), "run-1");
      record.settings.threads = static_cast<std::uint32_t>(i);
      ASSERT_TRUE(store.add(record));
    }
  }

  std::string folder_;
  std::string path_;
};

std::vector<std::string> ids(const Records& records) {
  std::vector<std::string> list;
  list.reserve(records.measured.size() + records.quality.size());
  for (const auto& record : records.measured) list.push_back(record.id);
  for (const auto& record : records.quality) list.push_back(record.id);
  return list;
}

TEST_F(StoreTest, KeepsRecordsAndFindsThem) {
  {
    Store store = open();
    ASSERT_TRUE(store.begin_run({.id = "20260304-aaaa", .label = "before", .sweep_key = "k"}));
    ASSERT_TRUE(store.add(test::full_measure_record("m1", "20260304-aaaa")));
    ASSERT_TRUE(store.add(test::full_quality_record("q1", "20260305-bbbb")));
    auto other = test::full_measure_record("m2", "20260306-cccc");
    other.settings.model = "tiny.gguf";
    other.passport.fingerprint = "fedcba9876543210";
    ASSERT_TRUE(store.add(other));
  }
  const auto store = read();
  ASSERT_TRUE(store) << store.error().message;
  const auto found = [&](const Filter& filter) {
    const auto records = store->records(filter);
    return records ? ids(*records) : std::vector<std::string>{records.error().message};
  };
  EXPECT_THAT(found({}), ElementsAre("m1", "m2", "q1"));
  EXPECT_THAT(found({.run = "before"}), ElementsAre("m1"));
  EXPECT_THAT(found({.run = "20260306"}), ElementsAre("m2"));
  EXPECT_THAT(found({.last = 2}), ElementsAre("m2", "q1"));
  EXPECT_THAT(found({.device = "0123"}), ElementsAre("m1", "q1"));
  EXPECT_THAT(found({.model = "tiny"}), ElementsAre("m2"));
  EXPECT_THAT(found({.run = "2026"}), ElementsAre(HasSubstr("'2026' is the beginning of 3 runs")));
  EXPECT_THAT(found({.run = "absent"}), ElementsAre(HasSubstr("no run with the id or label")));
  const auto runs = store->runs();
  ASSERT_TRUE(runs);
  ASSERT_THAT(*runs, SizeIs(3));
  EXPECT_EQ((*runs)[0].n_records, 1U);
  EXPECT_EQ((*runs)[0].finished, "");
  EXPECT_NE((*runs)[1].finished, "") << "a run that was not begun is not under way";
  const auto whole = store->records({.run = "before"});
  EXPECT_EQ(api::dump(to_json(whole->measured[0])),
            api::dump(to_json(test::full_measure_record("m1", "20260304-aaaa"))));
}

TEST_F(StoreTest, AnUnfinishedRunIsFoundWithItsCells) {
  Store store = open();
  ASSERT_TRUE(store.begin_run({.id = "r1", .sweep_key = "sweep", .sweep_json = "{\"a\":1}"}));
  ASSERT_TRUE(store.add(test::full_measure_record("c1", "r1"), "cell a"));
  ASSERT_TRUE(store.add(test::full_measure_record("c2", "r1")));
  const auto run = store.find_unfinished_run("sweep");
  ASSERT_TRUE(run && *run);
  EXPECT_EQ((*run)->id, "r1");
  EXPECT_EQ((*run)->sweep_json, "{\"a\":1}");
  EXPECT_THAT(*store.cells_done("r1"),
              UnorderedElementsAre("cell a", cell_key(test::full_measure_record().settings)));
  ASSERT_TRUE(store.finish_run("r1"));
  EXPECT_FALSE(store.find_unfinished_run("sweep").value());
  EXPECT_FALSE(store.finish_run("r2"));
  EXPECT_FALSE(store.begin_run({.id = "r1"})) << "an id twice";
  EXPECT_FALSE(store.add(test::full_measure_record("c1", "r1"))) << "a record's id twice";
  EXPECT_THAT(ids(*store.records()), ElementsAre("c1", "c2"));
}

// The writer says in a pipe which records are safe; whatever it said before it was killed is there.
TEST_F(StoreTest, SurvivesBeingKilledAtAnyMoment) {
  fill(0);
  int acknowledged = 0;
  for (int round = 0; round < 8; ++round) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = Store::open(path_);
      for (int i = 0; store; ++i) {
        const std::string id = std::to_string(round) + "-" + std::to_string(i);
        if (!store->add(test::full_measure_record(id, "r"))) break;
        const char one = 1;
        if (::write(ends[1], &one, 1) != 1) break;
      }
      ::_exit(1);
    }
    ::close(ends[1]);
    char one = 0;
    const int wanted = 1 + (round * 7) % 5;
    for (int i = 0; i < wanted; ++i) {
      ASSERT_EQ(::read(ends[0], &one, 1), 1);
      ++acknowledged;
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &one, 1) == 1) ++acknowledged;
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
  }
  const auto store = read();
  ASSERT_TRUE(store) << store.error().message;
  const auto records = store->records();
  ASSERT_TRUE(records);
  EXPECT_THAT(records->unreadable, SizeIs(0));
  // One per round may have been stored and not yet acknowledged.
  EXPECT_GE(records->measured.size(), static_cast<std::size_t>(acknowledged));
  EXPECT_LE(records->measured.size(), static_cast<std::size_t>(acknowledged + 8));
}

TEST_F(StoreTest, RefusesWhatIsNotAStore) {
  EXPECT_THAT(read().error().message, HasSubstr("no store of records there yet"));
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
  std::ofstream(path_) << "# these are not the records you are looking for, and it is long enough\n"
                       << std::string(2000, 'x');
  EXPECT_THAT(read().error().message, HasSubstr("not a store of records"));
  EXPECT_THAT(Store::open(path_).error().message, HasSubstr("not a store of records"));
  std::filesystem::remove(path_);
  std::ofstream(path_) << "short";
  EXPECT_THAT(Store::open(path_).error().message, HasSubstr("not a store of records"));
  std::filesystem::remove(path_);
  {
    auto foreign = Database::open(path_, path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    ASSERT_TRUE(foreign->execute("CREATE TABLE bookmarks (url TEXT)"));
  }
  EXPECT_THAT(Store::open(path_).error().message, HasSubstr("of another program"));
  EXPECT_THAT(read().error().message, HasSubstr("of another program"));
  EXPECT_THAT(Store::open(folder_).error().message, HasSubstr("cannot be opened"));
}

TEST_F(StoreTest, NewerIsRefusedAndOlderIsMigrated) {
  fill(2);
  const std::vector<const char*> longer = {kMigrations[0],
                                           "ALTER TABLE runs ADD COLUMN note TEXT DEFAULT 'none'"};
  {
    auto database = Database::open(path_, path_, SQLITE_OPEN_READWRITE);
    EXPECT_THAT(check_version(*database, 2).error().message, HasSubstr("of an older edgelm"));
    const std::vector<const char*> broken = {kMigrations[0],
                                             "ALTER TABLE runs ADD COLUMN x TEXT;"
                                             "ALTER TABLE nothing ADD COLUMN y"};
    EXPECT_FALSE(migrate(*database, broken));
    EXPECT_EQ(database->integer("PRAGMA user_version"), 1) << "a failed step leaves no trace";
    EXPECT_FALSE(database->integer("SELECT count(x) FROM runs"));
    ASSERT_TRUE(migrate(*database, longer));
    ASSERT_TRUE(migrate(*database, longer)) << "a second time changes nothing";
    EXPECT_EQ(database->text("SELECT note FROM runs"), "none");
    EXPECT_EQ(database->integer("SELECT count(*) FROM records"), 2);
  }
  EXPECT_THAT(Store::open(path_).error().message, HasSubstr("written by a newer edgelm"));
  EXPECT_THAT(read().error().message, HasSubstr("schema 2 was written by a newer edgelm"));
}

TEST_F(StoreTest, CutShortAnywhereIsSaidAndSalvaged) {
  fill(20);
  const std::string whole = os::read_file(path_, 1U << 30).value();
  const std::vector<std::size_t> sizes = {1,
                                          99,
                                          100,
                                          511,
                                          512,
                                          4095,
                                          4096,
                                          4097,
                                          65536,
                                          whole.size() / 2,
                                          whole.size() - 4096,
                                          whole.size() - 1};
  std::uint64_t most = 0;
  for (const std::size_t size : sizes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    const auto reading = read();
    ASSERT_FALSE(reading) << size;
    const auto writing = Store::open(path_);
    ASSERT_FALSE(writing) << size;
    EXPECT_EQ(os::read_file(path_, 1U << 30).value(), whole.substr(0, size)) << "left as it was";
    const std::string fresh = folder_ + "/saved-" + std::to_string(size);
    const auto saved = salvage(path_, fresh);
    if (!saved) {
      EXPECT_THAT(saved.error().message, HasSubstr(path_));
      continue;
    }
    most = std::max(most, saved->n_records);
    const auto store = Store::open(fresh);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_THAT(store->records()->measured, SizeIs(saved->n_records));
  }
  EXPECT_GE(most, 18U) << "a missing page at the end costs one record or two";
  EXPECT_THAT(salvage(path_, path_).error().message, HasSubstr("exists already"));
}

TEST_F(StoreTest, ADamagedRecordCostsNoOther) {
  fill(3);
  {
    auto database = Database::open(path_, path_, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(database->execute("UPDATE records SET json = '{\"format\":' WHERE id = 'cell-1'"));
  }
  const auto records = read()->records();
  ASSERT_TRUE(records);
  EXPECT_THAT(ids(*records), ElementsAre("cell-0", "cell-2"));
  EXPECT_THAT(records->unreadable,
              ElementsAre(AllOf(HasSubstr("record cell-1"), HasSubstr("JSON"))));
}

TEST_F(StoreTest, AFullDiskKeepsWhatWasStored) {
  int stored = 0;
  Status last;
  {
    Store store = open({.max_pages = 40});
    while (last && stored < 1000) {
      last = store.add(test::full_measure_record("c" + std::to_string(stored)));
      stored += last ? 1 : 0;
    }
    ASSERT_FALSE(last);
    EXPECT_THAT(last.error().message, HasSubstr("the disk is full"));
    EXPECT_THAT(store.records()->measured, SizeIs(stored)) << "the same store goes on reading";
  }
  Store store = open();
  EXPECT_THAT(store.records()->measured, SizeIs(stored));
  EXPECT_TRUE(store.add(test::full_measure_record("there is room again")));
}

// The system's own refusal, in the middle of writing the log: a child whose files may not grow.
TEST_F(StoreTest, AWriteThatTheSystemRefusesKeepsWhatWasStored) {
  fill(1);
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200'000, 200'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto store = Store::open(path_);
    int stored = 0;
    Status last;
    while (store && last && stored < 100) {
      last = store->add(test::full_measure_record("x" + std::to_string(stored), "r"));
      stored += last ? 1 : 0;
    }
    ::_exit(!last && last.error().code == ErrorCode::kIo ? stored : 200);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  const int stored = WEXITSTATUS(status);
  ASSERT_GT(stored, 0);
  ASSERT_LT(stored, 100);
  EXPECT_THAT(open().records()->measured, SizeIs(stored + 1));
}

TEST_F(StoreTest, ALockHeldByAnotherIsSaid) {
  fill(1);
  Store store = open({.busy_timeout = std::chrono::milliseconds(20)});
  auto other = Database::open(path_, path_, SQLITE_OPEN_READWRITE);
  ASSERT_TRUE(other->execute("BEGIN EXCLUSIVE"));
  const Status added = store.add(test::full_measure_record("late"));
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("locked by another process"));
  EXPECT_THAT(store.records()->measured, SizeIs(1)) << "readers do not wait";
  ASSERT_TRUE(other->execute("ROLLBACK"));
  EXPECT_TRUE(store.add(test::full_measure_record("late")));
}

TEST_F(StoreTest, TwoOpenAtOnceAndBothWrite) {
  Store one = open();
  Store two = open();
  ASSERT_TRUE(one.add(test::full_measure_record("a")));
  ASSERT_TRUE(two.add(test::full_measure_record("b")));
  EXPECT_THAT(ids(*one.records()), ElementsAre("a", "b"));
}

TEST_F(StoreTest, AFileOfAReadOnlyFolderIsRead) {
  fill(2);
  const std::string folder = std::filesystem::path(path_).parent_path();
  const bool root = ::geteuid() == 0;
  const pid_t child = ::fork();
  if (child == 0) {
    // Rights do not stop root: give it up. The folders above stay passable.
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    std::filesystem::permissions(folder, std::filesystem::perms(0555));
    std::filesystem::permissions(path_, std::filesystem::perms(0444));
    if (root && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(100);
    const auto store = read();
    if (!store) ::_exit(101);
    const auto writing = Store::open(path_);
    if (writing || writing.error().code != ErrorCode::kPermission) ::_exit(102);
    ::_exit(static_cast<int>(store->records()->measured.size()));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::filesystem::permissions(folder, std::filesystem::perms(0755));
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 2);
}

TEST(StorePath, ComesFromTheEnvironment) {
  const auto with = [](const char* store, const char* data, const char* home) {
    ::setenv("EDGELM_STORE", store, 1);
    ::setenv("XDG_DATA_HOME", data, 1);
    ::setenv("HOME", home, 1);
    return Store::default_path().value_or("none");
  };
  const std::string home = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  EXPECT_EQ(with("/a/b.sqlite", "/data", "/home/u"), "/a/b.sqlite");
  EXPECT_EQ(with("", "/data", "/home/u"), "/data/edgelm/records.sqlite");
  EXPECT_EQ(with("", "relative", "/home/u"), "/home/u/.local/share/edgelm/records.sqlite");
  EXPECT_EQ(with("", "", ""), "none");
  ::unsetenv("EDGELM_STORE");
  ::unsetenv("XDG_DATA_HOME");
  ::setenv("HOME", home.c_str(), 1);
}

}  // namespace
}  // namespace edgelm::report
