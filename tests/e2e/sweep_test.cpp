// Sweeps of edgelm bench that are killed, interrupted, starved of memory and given broken models:
// whatever was measured is kept, and the rest is a record with its reason.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "api/json.h"
#include "base/random.h"
#include "process.h"
#include "support/count_allocations.h"

namespace edgelm::e2e {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// A cell of the tiny model takes about a twentieth of a second.
const std::vector<std::string>& quick() {
  static const std::vector<std::string> kArguments = {"-r",        "1",       "--no-probe",
                                                      "--no-cold", "--power", "none"};
  return kArguments;
}

class Sweep : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = work_folder() + "/sweep";
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Starts the program in a session of its own; what it prints goes to out and err in the folder.
  pid_t start(std::vector<std::string> words) {
    words.insert(words.begin(), binary_path());
    words.insert(words.end(), quick().begin(), quick().end());
    words.insert(words.end(), {"--store", folder_ + "/records.sqlite", "-o", "jsonl"});
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::filesystem::remove(out_);  // of an earlier one
    std::filesystem::remove(err_);
    const pid_t child = ::fork();
    if (child == 0) {
      ::setpgid(0, 0);
      const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(out, 1);
      ::dup2(err, 2);
      ::setenv("EDGELM_CACHE_LIMIT", "0", 1);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    return child;
  }
  // 128 + signal when one ended it.
  static int wait(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  [[nodiscard]] std::vector<api::Json> rows() const {
    std::vector<api::Json> parsed;
    std::istringstream lines(slurp(out_));
    for (std::string line; std::getline(lines, line);) {
      auto json = api::parse(line, "row");
      if (json) parsed.push_back(std::move(*json));
    }
    return parsed;
  }
  // What identifies a row, each once.
  [[nodiscard]] std::multiset<std::string> names() const {
    std::multiset<std::string> all;
    for (const api::Json& row : rows())
      all.insert(fmt::format("{} {} {} t{}", row["model"].get<std::string>(),
                             row["test"].get<std::string>(), row["kv_type"].get<std::string>(),
                             row["threads"].get<int>()));
    return all;
  }

  // N of "continuing run X: N of M cells are there"; 0 when it says nothing of the kind.
  [[nodiscard]] std::size_t continued() const {
    const std::string said = slurp(err_);
    const std::size_t at = said.find("continuing run ");
    if (at == std::string::npos) return 0;
    return std::stoul(said.substr(said.find(": ", at) + 2));
  }

  std::string folder_;
  std::string out_ = work_folder() + "/sweep.out";
  std::string err_ = work_folder() + "/sweep.err";
  // 4 tests at 4 depths with 2 types of cache of 2 models: 64 cells of two rows.
  static constexpr std::size_t kCells = 64;
  const std::vector<std::string> sweep_ = {"bench",      "tiny",      "builtin", "-t",      "1",
                                           "-p",         "4,8,12,16", "-n",      "2,3,4,5", "-d",
                                           "0,32,64,96", "--kv-type", "f16,q8_0"};
};

TEST_F(Sweep, SurvivesKillsAtAnyPointAndGoesOn) {
  // What an undisturbed run gives.
  auto undisturbed = sweep_;
  undisturbed.insert(undisturbed.end(), {"--no-store"});
  ASSERT_EQ(wait(start(undisturbed)), 0) << slurp(err_);
  const std::multiset<std::string> all = names();
  ASSERT_EQ(all.size(), 2 * kCells);

  Random random(static_cast<std::uint64_t>(::getpid()));
  std::size_t printed = 0;
  int kills = 0;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = start(sweep_);
    // At any moment of its work, which the clock alone decides.
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + random.below(150)));
    ::kill(child, SIGKILL);
    if (wait(child) == 0) break;  // a fast machine: it was done
    ++kills;
    // What had been printed before is there again.
    if (const std::size_t there = continued(); there > 0) {
      EXPECT_GE(2 * there, printed) << slurp(err_);
    }
    printed = std::max(printed, rows().size());
  }
  EXPECT_GE(kills, 2);
  ASSERT_EQ(wait(start(sweep_)), 0) << slurp(err_);
  EXPECT_EQ(names(), all);
  std::set<std::string> records;
  for (const api::Json& row : rows()) records.insert(row["record"].get<std::string>());
  EXPECT_EQ(records.size(), all.size() / 2);  // two rows each: none measured twice

  // It is finished: the same command is a new run.
  ASSERT_EQ(wait(start(sweep_)), 0);
  EXPECT_EQ(slurp(err_).find("continuing run"), std::string::npos);
}

TEST_F(Sweep, InterruptedKeepsEverythingAndSaysHowToGoOn) {
  const pid_t child = start(sweep_);
  while (lines_of(slurp(out_)) < 4) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(-child, SIGINT);  // as a terminal does: the group, with the measuring process
  EXPECT_EQ(wait(child), 130);
  const std::string said = slurp(err_);
  EXPECT_THAT(said, AllOf(HasSubstr("stopped after"), HasSubstr("the same command goes on")));
  const std::size_t kept = rows().size();
  EXPECT_EQ(kept, lines_of(slurp(out_)));  // no half lines
  EXPECT_GE(kept, 4U);
  ASSERT_EQ(wait(start(sweep_)), 0);
  EXPECT_THAT(slurp(err_), HasSubstr(fmt::format("{} of {} cells are there", kept / 2, kCells)));
  EXPECT_EQ(rows().size(), 2 * kCells);
  // And --new starts over even though a run is unfinished.
  const pid_t again = start(sweep_);
  while (lines_of(slurp(out_)) < 4) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(again, SIGTERM);
  EXPECT_EQ(wait(again), 143);
  auto over = sweep_;
  over.insert(over.end(), {"--new"});
  ASSERT_EQ(wait(start(over)), 0);
  EXPECT_EQ(slurp(err_).find("continuing run"), std::string::npos);
}

TEST_F(Sweep, MadeModelsGoOnAsWell) {
  const std::vector<std::string> made = {
      "bench", "synth:smollm2-135m", "--types", "Q4_0:layers=1", "-t", "1", "-p", "4", "-n", "2",
      "-d",    "0,8,16,24"};
  const pid_t child = start(made);
  while (lines_of(slurp(out_)) < 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(child, SIGKILL);
  wait(child);
  const std::size_t printed = rows().size();
  ASSERT_EQ(wait(start(made)), 0);
  EXPECT_GE(2 * continued(), printed) << slurp(err_);
  EXPECT_EQ(rows().size(), 8U);
}

TEST_F(Sweep, ABrokenModelInTheMiddleIsARecord) {
  const std::string model = folder_ + "/short.gguf";
  ASSERT_EQ(run("edgelm synth --shape smollm2-135m --type Q4_0 --layers 1 -o " + model).exit_code,
            0);
  const pid_t child =
      start({"bench", "tiny", model, "-p", "4", "-n", "2", "-t", "1", "-d",
             "0,16,32,48,64,80,96,112,128,144,160,176", "--no-cache", "--seed", "7"});
  // Its cells are done in mixed order: some before it is cut, some after.
  while (slurp(out_).find("short.gguf") == std::string::npos)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  std::ofstream(model, std::ios::trunc) << "GGUF and nothing more";
  EXPECT_EQ(wait(child), 1);
  std::map<std::string, std::set<std::string>> reasons;
  std::map<std::string, int> cells;
  for (const api::Json& row : rows()) {
    reasons[row["model"].get<std::string>()].insert(row["outcome"].get<std::string>() + ": " +
                                                    row["reason"].get<std::string>());
    ++cells[row["outcome"].get<std::string>()];
  }
  EXPECT_THAT(reasons["tiny"], ElementsAre("measured: "));
  EXPECT_THAT(reasons["short.gguf"],
              AllOf(Contains("measured: "),
                    Contains(AllOf(HasSubstr("failed: "), HasSubstr("short.gguf")))));
  EXPECT_GT(cells["failed"], 0);
  EXPECT_THAT(slurp(err_), HasSubstr(" of 24 cells failed; the first: "));
}

TEST_F(Sweep, AModelThatIsNotThereEndsItBeforeItBegins) {
  const std::string broken = folder_ + "/broken.gguf";
  std::ofstream(broken) << "GGUF and nothing more";
  const std::string store = folder_ + "/records.sqlite";
  EXPECT_EQ(wait(start({"bench", "tiny", folder_ + "/absent.gguf", "-p", "4", "-n", "2"})), 1);
  EXPECT_EQ(slurp(out_), "");
  EXPECT_THAT(slurp(err_), AllOf(HasSubstr("/absent.gguf"), HasSubstr("'builtin' and 'tiny'"),
                                 HasSubstr("nothing was measured")));
  EXPECT_FALSE(std::filesystem::exists(store));
  EXPECT_EQ(wait(start({"bench", broken, "tiny", folder_ + "/absent.gguf", "-n", "2"})), 1);
  EXPECT_EQ(slurp(out_), "");
  EXPECT_THAT(slurp(err_), AllOf(HasSubstr("2 of 3 models"), HasSubstr("broken.gguf: "),
                                 HasSubstr("absent.gguf: "), HasSubstr("nothing was measured")));
  EXPECT_FALSE(std::filesystem::exists(store));
}

TEST_F(Sweep, WhatCannotFitAndWhatRunsOutOfMemory) {
  EXPECT_EQ(wait(start(
                {"bench", "tiny", "-p", "0", "-n", "2", "-t", "1", "-d", "0,1048576", "-s", "64"})),
            0);
  int infeasible = 0;
  for (const api::Json& row : rows()) {
    if (row["outcome"] != "infeasible") continue;
    ++infeasible;
    EXPECT_GT(row["memory"]["needed"].get<double>(), 30e9);
    EXPECT_THAT(row["reason"].get<std::string>(), HasSubstr("MiB are available"));
  }
  EXPECT_EQ(infeasible, 1);

#ifdef EDGELM_SANITIZED
  GTEST_SKIP() << "sanitizers want more address space than the limit below";
#endif
  // The limit lets the program start and not hold the packed model.
  const Outcome limited =
      run("edgelm synth --shape smollm2-135m --type Q8_0 -o m.gguf >/dev/null 2>&1\n"
          "ulimit -v 250000\n"
          "edgelm bench m.gguf tiny -p 4 -n 2 -t 1 -r 1 --no-cache --no-probe --no-store --no-cold "
          "-o jsonl");
  EXPECT_EQ(limited.exit_code, 0) << limited.err;
  EXPECT_THAT(limited.out, AllOf(HasSubstr(R"("outcome":"out of memory")"),
                                 HasSubstr(R"("outcome":"measured")")));
}

// A control group of 100 MiB around a model of 140, where this user may make one.
class SmallMemory : public Sweep {
 protected:
  void SetUp() override {
    Sweep::SetUp();
    const std::string name = "edgelm-test-" + std::to_string(::getpid());
    for (const auto& [root, limit] : {std::pair{"/sys/fs/cgroup/memory/", "/memory.limit_in_bytes"},
                                      std::pair{"/sys/fs/cgroup/", "/memory.max"}}) {
      std::error_code refused;
      if (!std::filesystem::exists(root, refused)) continue;
      group_ = root + name;
      if (!std::filesystem::create_directory(group_, refused)) continue;
      std::ofstream file(group_ + limit);
      file << "100M" << std::flush;
      if (file) return;
      ::rmdir(group_.c_str());
    }
    group_.clear();
    GTEST_SKIP() << "this user may make no control group";
  }
  void TearDown() override {
    if (!group_.empty()) ::rmdir(group_.c_str());
    Sweep::TearDown();
  }
  // -r 3 has one warm-up run and three counted.
  [[nodiscard]] Outcome bench(const std::string& arguments,
                              const std::string& force = "--force ") const {
    return run(
        "edgelm synth --shape smollm2-135m --type Q8_0 -o m.gguf >/dev/null 2>&1\n"
        "sync m.gguf; export EDGELM_CACHE_LIMIT=0\n"
        "echo $$ >" +
        group_ +
        "/cgroup.procs || exit 99\n"
        "edgelm bench m.gguf -p 0 -n 4 -t 1 -r 3 --no-probe --no-store -o json " +
        force + arguments);
  }
  std::string group_;
};

TEST_F(SmallMemory, WhatTheGroupCannotHoldIsNotTried) {
  const Outcome outcome = bench("--no-cold", "");
  if (outcome.exit_code == 99) GTEST_SKIP() << "this user may not enter its control group";
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(R"("outcome": "infeasible")"),
                                 HasSubstr("needs 137 MiB (weights 136, ")));
}

TEST_F(SmallMemory, AKillForWantOfMemoryIsAResult) {
  const Outcome outcome = bench("--no-cold");
  if (outcome.exit_code == 99) GTEST_SKIP() << "this user may not enter its control group";
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr(R"("outcome": "out of memory")"),
                                 HasSubstr("killed the measuring process for want of memory")));
}

TEST_F(SmallMemory, ThePagingCliffIsNamed) {
  // Weights that stay in the file can be dropped and read again: slowly, for every token.
  const Outcome outcome = bench("--no-repack");
  if (outcome.exit_code == 99) GTEST_SKIP() << "this user may not enter its control group";
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = api::parse(outcome.out, "bench");
  ASSERT_TRUE(json) << outcome.out;
  if (!(*json)[0]["cold_load_ms"].is_number())
    GTEST_SKIP() << "the model's pages belong to another group: " << (*json)[0]["cold_load_ms"];
  EXPECT_EQ((*json)[0]["memory"]["paging"], true);
  EXPECT_THAT(outcome.out, HasSubstr("of weights were read from storage again while measuring"));
}

TEST_F(Sweep, AStoreThatCannotBeWrittenCostsItsMessage) {
  const Outcome outcome =
      run("edgelm bench tiny -p 4 -n 2 -t 1 -r 1 --no-probe --store /dev/full/records -o jsonl");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(lines_of(outcome.out), 2U);
  EXPECT_THAT(outcome.err, HasSubstr("the results are not kept: "));
}

TEST_F(Sweep, TypesFillInNames) {
  const Outcome outcome =
      run("edgelm bench tiny synth:smollm2-135m --types Q4_0,Q8_0 -p 0 -n 2 -t 1 -r 1 --no-probe "
          "--no-store -o csv | cut -d, -f1,2 | sort | uniq");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("synth:smollm2-135m:Q4_0,Q4_0\n"),
                    HasSubstr("synth:smollm2-135m:Q8_0,Q8_0\n"), HasSubstr("tiny,Q8_0\n")));
  EXPECT_EQ(run("edgelm bench 'a-{type}.gguf'").exit_code, 2);
}

TEST_F(Sweep, EnergyFromARecordedMeter) {
  std::ofstream trace(folder_ + "/meter.csv");
  trace << "t_s,watts\n";
  for (int i = 0; i < 4000; ++i) trace << i * 0.05 << ",7.5\n";
  trace.close();
  const Outcome outcome =
      run("edgelm bench tiny -p 8 -n 8 -t 1 -r 3 --no-probe --no-store -o json "
          "--idle 0.2 --power file:" +
          folder_ + "/meter.csv");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto json = api::parse(outcome.out, "bench");
  ASSERT_TRUE(json) << outcome.out;
  for (const api::Json& row : *json) {
    // Constant power: joules are watts times the time of a token, which the window's runs take a
    // little more of than the rate says (text and sampling).
    ASSERT_TRUE(row["energy"]["joules_per_token"].is_number()) << row["energy"].dump();
    const double joules = row["energy"]["joules_per_token"];
    const double least = 7.5 / row["tokens_per_second"]["max"].get<double>();
    EXPECT_GT(joules, 0.5 * least);
    EXPECT_NEAR(row["energy"]["net_joules_per_token"].get<double>(), 0, 0.02 * joules);
  }
}

}  // namespace
}  // namespace edgelm::e2e
