// Cells, their order, resuming and what goes wrong on the way; and real child processes.

#include "measure/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <set>

#include "measure/child_process.h"
#include "os/clock.h"

namespace edgelm::measure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string tests(const std::vector<Cell>& cells) {
  std::string text;
  for (const Cell& cell : cells)
    text += fmt::format("{}p{}b{}n{}s{}", text.empty() ? "" : " ", cell.settings.prompt_tokens,
                        cell.settings.batch_tokens, cell.settings.decode_tokens,
                        cell.settings.n_sequences);
  return text;
}

TEST(SweepCells, EveryLengthOnce) {
  SweepLists lists;
  lists.models = {{"m", "h", "Q4_0"}};
  lists.prompts = {128, 512};
  lists.decodes = {32, 64};
  EXPECT_EQ(tests(cells_of(lists)), "p128b256n32s1 p512b256n64s1");
  lists.decodes = {32};
  EXPECT_EQ(tests(cells_of(lists)), "p128b256n32s1 p512b256n0s1");
  lists.prompts = {0};
  lists.sequences = {1, 4};
  EXPECT_EQ(tests(cells_of(lists)), "p0b256n32s1 p0b256n32s4");
  lists.prompts = {16};
  lists.batches = {8, 64};
  lists.decodes = {0};
  EXPECT_EQ(tests(cells_of(lists)), "p16b8n0s1 p16b64n0s1");
  lists.prompts = {0};
  EXPECT_TRUE(cells_of(lists).empty());
}

SweepLists wide() {
  SweepLists lists;
  lists.models = {{"a", "1", "Q4_0"}, {"b", "2", "Q8_0"}, {"c", "", ""}};
  lists.threads = {1, 2, 4};
  lists.prompts = {16, 32};
  lists.decodes = {8};
  lists.contexts = {0, 512};
  lists.kv_types = {"f16", "q8_0"};
  lists.power_modes = {"15W", "25W"};
  return lists;
}

TEST(SweepCells, TheWholeProduct) {
  const std::vector<Cell> cells = cells_of(wide());
  EXPECT_EQ(cells.size(), 3U * 3 * 2 * 2 * 2 * 2);
  std::set<std::string> keys;
  for (const Cell& cell : cells) keys.insert(cell.key);
  EXPECT_EQ(keys.size(), cells.size());
  SweepLists twice = wide();
  twice.threads = {2, 2};
  EXPECT_EQ(cells_of(twice).size(), cells.size() / 3);  // what is named twice is measured once
}

TEST(SweepCells, OrderIsMixedInBlocksAndFollowsTheSeed) {
  const std::vector<Cell> sorted = cells_of(wide());
  std::vector<Cell> mixed = sorted;
  shuffle(mixed, 1);
  ASSERT_EQ(mixed.size(), sorted.size());
  std::set<std::string> keys;
  int model_changes = 0;
  int mode_changes = 0;
  int same_place = 0;
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    keys.insert(mixed[i].key);
    if (mixed[i].key == sorted[i].key) ++same_place;
    if (i == 0) continue;
    model_changes += mixed[i].model != mixed[i - 1].model ? 1 : 0;
    mode_changes += mixed[i].settings.power_mode != mixed[i - 1].settings.power_mode ? 1 : 0;
  }
  EXPECT_EQ(keys.size(), sorted.size());
  EXPECT_EQ(mode_changes, 1);
  EXPECT_LE(model_changes, 5);  // three models in each of two modes
  EXPECT_LT(same_place, 20);
  std::vector<Cell> again = sorted;
  shuffle(again, 1);
  std::vector<Cell> other = sorted;
  shuffle(other, 2);
  int equal = 0;
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    EXPECT_EQ(mixed[i].key, again[i].key);
    equal += mixed[i].key == other[i].key ? 1 : 0;
  }
  EXPECT_LT(equal, 30);
}

// A store that lives as long as the test, and a clock that each cell moves.
class Sweep : public ::testing::Test {
 protected:
  Sweep() {
    hooks_.is_done = [this](const std::string& key) { return kept_.contains(key); };
    hooks_.measure = [this](const Cell& cell, bool first) -> Result<Record> {
      if (++calls_ == stop_at_) return fail(ErrorCode::kInternal, "killed");
      seconds_ += 10;
      first_of_model_ += first ? 1 : 0;
      Record record;
      record.settings = cell.settings;
      return record;
    };
    hooks_.keep = [this](const Cell& cell, Record&& record) {
      EXPECT_TRUE(kept_.emplace(cell.key, std::move(record)).second) << "measured twice";
    };
    hooks_.set_power_mode = [this](const std::string& mode) -> Status {
      modes_.push_back(mode);
      if (mode == "broken") return fail(ErrorCode::kPermission, "needs root");
      return {};
    };
    hooks_.seconds = [this] { return seconds_; };
    hooks_.progress = [this](const SweepProgress& progress, const Cell& /*cell*/) {
      progress_ = progress;
    };
  }

  std::map<std::string, Record> kept_;
  std::vector<std::string> modes_;
  SweepHooks hooks_;
  SweepProgress progress_;
  double seconds_ = 0;
  int calls_ = 0;
  int stop_at_ = -1;
  int first_of_model_ = 0;
};

TEST_F(Sweep, GoesOnAfterAnyNumberOfKills) {
  std::vector<Cell> cells = cells_of(wide());
  shuffle(cells, 7);
  std::size_t there = 0;
  for (int kill_after : {1, 5, 2, 60}) {
    calls_ = 0;
    stop_at_ = kill_after;
    const SweepEnd end = run_sweep(cells, hooks_);
    EXPECT_TRUE(end.stopped);
    EXPECT_EQ(end.n_there, there);
    there = kept_.size();
    EXPECT_EQ(end.n_measured, static_cast<std::size_t>(kill_after - 1));
  }
  stop_at_ = -1;
  const SweepEnd end = run_sweep(cells, hooks_);
  EXPECT_FALSE(end.stopped);
  EXPECT_EQ(kept_.size(), cells.size());
  EXPECT_EQ(end.n_there + end.n_measured, cells.size());
  EXPECT_EQ(run_sweep(cells, hooks_).n_measured, 0U);
}

TEST_F(Sweep, TimeLeftFollowsWhatWasMeasured) {
  const std::vector<Cell> cells = cells_of(wide());
  run_sweep(cells, hooks_);
  EXPECT_EQ(progress_.done, cells.size() - 1);
  EXPECT_DOUBLE_EQ(progress_.seconds_left.value(), 10);
  EXPECT_EQ(first_of_model_, 3);
}

TEST_F(Sweep, AModeThatCannotBeSetIsARecord) {
  SweepLists lists = wide();
  lists.power_modes = {"broken", "25W"};
  run_sweep(cells_of(lists), hooks_);
  EXPECT_THAT(modes_, ElementsAre("broken", "25W"));
  int failed = 0;
  for (const auto& [key, record] : kept_) {
    if (record.outcome != Outcome::kFailed) continue;
    ++failed;
    EXPECT_EQ(record.settings.power_mode, "broken");
    EXPECT_EQ(record.reason, "power mode 'broken': needs root");
  }
  EXPECT_EQ(failed, 72);
}

TEST_F(Sweep, StopsBeforeACellWhenAsked) {
  int asked = 0;
  hooks_.stop = [&] { return ++asked > 3; };
  const SweepEnd end = run_sweep(cells_of(wide()), hooks_);
  EXPECT_TRUE(end.stopped);
  EXPECT_EQ(kept_.size(), 3U);
}

ChildEnd run_shell(const std::string& script, ChildTask task = {}) {
  task.program = "/bin/sh";
  task.arguments = {"sh", "-c", script};
  const Result<ChildEnd> end = run_child(task);
  EXPECT_TRUE(end) << end.error().message;
  return end.value_or(ChildEnd{});
}

TEST(ChildProcess, LinesInAndOut) {
  std::vector<std::string> lines;
  ChildTask task;
  task.input = "one\ntwo";
  task.on_output = [&](const std::string& line) { lines.push_back(line); };
  const ChildEnd end = run_shell("cat; echo; echo three >&2; printf four; exit 5", task);
  EXPECT_THAT(lines, ElementsAre("one", "two", "four"));
  EXPECT_EQ(end.exit_status, 5);
  EXPECT_EQ(end.signal, 0);
  EXPECT_EQ(end.last_error, "three");
  EXPECT_THAT(describe(end), HasSubstr("status 5 and without a result; it said: three"));
}

TEST(ChildProcess, CrashesAndKillsAreTold) {
  EXPECT_EQ(run_shell("kill -SEGV $$").signal, SIGSEGV);
  const ChildEnd killed = run_shell("kill -KILL $$");
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_THAT(describe(killed), HasSubstr("signal 9"));
  EXPECT_TRUE(run_shell("kill -INT $$").stopped);
}

TEST(ChildProcess, AnInputThatNobodyReads) {
  ChildTask task;
  task.input = std::string(1 << 20, 'x');
  EXPECT_EQ(run_shell("exit 3", task).exit_status, 3);
}

TEST(ChildProcess, TimeLimitAndStop) {
  ChildTask task;
  task.timeout_s = 0.2;
  const std::int64_t start = os::now_ns();
  EXPECT_TRUE(run_shell("exec sleep 60", task).timed_out);
  task.timeout_s = 0;
  task.stop = [] { return true; };
  EXPECT_TRUE(run_shell("exec sleep 60", task).stopped);
  EXPECT_LT(os::ns_to_s(os::now_ns() - start), 20);
}

TEST(ChildProcess, ADescriptorIsHandedDown) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "given\n", 6), 6);
  ::close(ends[1]);
  std::vector<std::string> lines;
  ChildTask task;
  task.descriptor = ends[0];
  task.on_output = [&](const std::string& line) { lines.push_back(line); };
  run_shell("cat <&3", task);
  ::close(ends[0]);
  EXPECT_THAT(lines, ElementsAre("given"));
}

TEST(ChildProcess, AProgramThatIsNotThere) {
  ChildTask task;
  task.program = "/nonexistent/edgelm";
  task.arguments = {"edgelm"};
  const Result<ChildEnd> end = run_child(task);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_status, 127);
}

}  // namespace
}  // namespace edgelm::measure
