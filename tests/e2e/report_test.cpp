// edgelm report and compare over stores that the library fills: every form, every refusal.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "api/json.h"
#include "os/file.h"
#include "process.h"
#include "report/store.h"
#include "support/report_fixture.h"

namespace edgelm::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ReportCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = work_folder() + "/report";
    std::filesystem::create_directories(folder_);
    store_ = folder_ + "/records.sqlite";
    auto store = report::Store::open(store_);
    ASSERT_TRUE(store) << store.error().message;
    const test::FixtureRecords all = test::fixture_records();
    ASSERT_TRUE(store->begin_run({.id = all.measured[0].run_id, .label = "pi"}));
    for (const auto& record : all.measured) ASSERT_TRUE(store->add(record));
    for (const auto& record : all.quality) ASSERT_TRUE(store->add(record));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Outcome edgelm(const std::string& arguments) const {
    return run("EDGELM_STORE='" + store_ + "' edgelm " + arguments);
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return os::read_file(folder_ + "/" + name, 1U << 30).value_or("");
  }

  std::string folder_;
  std::string store_;
};

TEST_F(ReportCommand, TextForTheTerminal) {
  const Outcome all = edgelm("report");
  EXPECT_EQ(all.exit_code, 0) << all.err;
  EXPECT_THAT(all.out,
              AllOf(HasSubstr("2 devices compared"), HasSubstr("Raspberry Pi 5 8 GB"),
                    HasSubstr("does not fit"), HasSubstr("scope"), HasSubstr("modelled"),
                    HasSubstr("R = 1 / (1 + TTFT / T_ref)"), HasSubstr("different scopes")));
  const Outcome one = edgelm("report --run pi");
  EXPECT_THAT(one.out, AllOf(HasSubstr("Raspberry Pi 5 8 GB"), Not(HasSubstr("Jetson"))));
  EXPECT_THAT(one.out, HasSubstr("has not finished"));
  EXPECT_THAT(edgelm("report --device fedc").out, Not(HasSubstr("Raspberry Pi 5 8 GB (")));
  EXPECT_THAT(edgelm("report --runs").out, AllOf(HasSubstr("no: resumable"), HasSubstr("pi")));
  EXPECT_THAT(edgelm("report --last 1").out, HasSubstr("Evaluations"));
}

TEST_F(ReportCommand, FilesByTheirNames) {
  for (const char* name : {"r.html", "r.md", "r.csv", "r.jsonl", "r.txt"}) {
    const Outcome made = edgelm("report --out " + folder_ + "/" + name);
    EXPECT_EQ(made.exit_code, 0) << made.err;
    EXPECT_EQ(made.out, "");
  }
  EXPECT_THAT(file("r.html"), AllOf(StartsWith("<!doctype html>"), HasSubstr("edgelm.report/1"),
                                    Not(HasSubstr("EDGELM_REPORT_DATA")), Not(HasSubstr("src=\"")),
                                    Not(HasSubstr("href=\"http"))));
  EXPECT_THAT(file("r.md"), AllOf(StartsWith("# 2 devices compared"), HasSubstr("| model")));
  EXPECT_THAT(file("r.csv"), StartsWith("kind,id,run,"));
  EXPECT_THAT(file("r.jsonl"), StartsWith("{\"format\":\"edgelm.measure/1\""));
}

TEST_F(ReportCommand, JsonLinesGoRound) {
  ASSERT_EQ(edgelm("report -o jsonl --out " + folder_ + "/a.jsonl").exit_code, 0);
  const Outcome again =
      edgelm("report --all --store " + folder_ + "/a.jsonl -o jsonl --out " + folder_ + "/b.jsonl");
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(file("a.jsonl"), file("b.jsonl"));
  // A line that is cut short costs that line.
  std::ofstream(folder_ + "/c.jsonl") << file("a.jsonl").substr(0, file("a.jsonl").size() - 200);
  const Outcome cut = edgelm("report --store " + folder_ + "/c.jsonl");
  EXPECT_EQ(cut.exit_code, 0);
  EXPECT_THAT(cut.err, AllOf(HasSubstr("left out"), HasSubstr("not valid JSON")));
}

// A record that cannot be read may be the one that is worse.
TEST_F(ReportCommand, CompareOfWhatCannotBeReadWholeIsNoSuccess) {
  ASSERT_EQ(edgelm("report -o jsonl --all --out " + folder_ + "/a.jsonl").exit_code, 0);
  std::string damaged = file("a.jsonl");
  const std::size_t at = damaged.find("\"prefill_tokens_per_s\":{\"samples\":[");
  ASSERT_NE(at, std::string::npos);
  damaged.insert(damaged.find('[', at) + 1, "\"x\",");
  std::ofstream(folder_ + "/b.jsonl") << damaged;
  EXPECT_EQ(edgelm("compare " + folder_ + "/a.jsonl " + folder_ + "/a.jsonl").exit_code, 0);
  for (const char* order : {"/a.jsonl {}/b.jsonl", "/b.jsonl {}/a.jsonl"}) {
    const Outcome left_out =
        edgelm("compare " + folder_ + fmt::format(fmt::runtime(order), folder_));
    EXPECT_EQ(left_out.exit_code, 1) << order;
    EXPECT_THAT(left_out.err, AllOf(HasSubstr("incomplete: nothing that could be read is worse"),
                                    HasSubstr("1 record of"), HasSubstr("0 records of")));
    EXPECT_THAT(left_out.out, HasSubstr("b.jsonl:1: prefill_tokens_per_s: samples"));
  }
}

TEST_F(ReportCommand, PricesAndLimitsAreTheUsers) {
  const Outcome dear = edgelm("report -o md --electricity 2.5 --alpha 0,1 --ttft-limit 0.001");
  EXPECT_THAT(dear.out, AllOf(HasSubstr("Electricity 2.5 USD/kWh"), HasSubstr("alpha 1"),
                              Not(HasSubstr("alpha 0.25")), HasSubstr("slow to start"),
                              Not(HasSubstr("| comfortable"))));
  std::ofstream(folder_ + "/bad.toml") << "currency = 3\n";
  const Outcome bad = edgelm("report --prices " + folder_ + "/bad.toml");
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.err, HasSubstr("bad.toml"));
}

TEST_F(ReportCommand, RefusesWithReasons) {
  const auto fails = [&](const std::string& arguments, int code, const std::string& message) {
    const Outcome outcome = edgelm(arguments);
    EXPECT_EQ(outcome.exit_code, code) << arguments;
    EXPECT_THAT(outcome.err, HasSubstr(message)) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
  };
  fails("report --store " + folder_ + "/absent.sqlite", 1, "no store of records there yet");
  fails("report --run absent", 1, "no run with the id or label 'absent'");
  fails("report --run 20260", 2, "is the beginning of 3 runs");
  fails("report --model absent", 1, "no record matches");
  fails("report --alpha 2", 2, "--alpha");
  fails("report -o pdf", 2, "pdf");
  fails("report --out /absent/folder/r.html", 1, "/absent/folder");
  std::ofstream(folder_ + "/text") << "these are no records\n";
  fails("report --store " + folder_ + "/text", 1, "neither a store nor JSON lines");
  std::ofstream(folder_ + "/empty") << "";
  fails("report --store " + folder_ + "/empty", 1, "it is empty");
}

TEST_F(ReportCommand, DamagedStoresAreSalvaged) {
  const std::string whole = file("records.sqlite");
  std::filesystem::remove(store_ + "-wal");
  std::ofstream(store_, std::ios::binary | std::ios::trunc)
      << whole.substr(0, whole.size() * 3 / 4);
  const Outcome damaged = edgelm("report");
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.err, AllOf(HasSubstr("damaged or cut short"), HasSubstr("--salvage")));
  const Outcome saved = edgelm("report --salvage " + folder_ + "/saved.sqlite");
  EXPECT_EQ(saved.exit_code, 0) << saved.err;
  EXPECT_THAT(saved.out, HasSubstr("records copied to"));
  EXPECT_EQ(edgelm("report --store " + folder_ + "/saved.sqlite").exit_code, 0);
}

TEST_F(ReportCommand, OneRecordIsNotManyRecords) {
  const std::string records = folder_ + "/one.jsonl";
  std::istringstream all(edgelm("report --all -o jsonl").out);
  std::string line;
  ASSERT_TRUE(std::getline(all, line));
  std::ofstream(records) << line << '\n';
  EXPECT_THAT(edgelm("report --store " + records + " --out " + folder_ + "/one.html").err,
              HasSubstr("one.html: 1 record, "));
}

TEST_F(ReportCommand, NothingHostileReachesTheTerminal) {
  {
    auto store = report::Store::open(store_);
    ASSERT_TRUE(store->add(test::fixture_plain("\x1b[31m</script>\xe2\x80\xae")));
  }
  for (const char* form : {"text", "md", "csv", "html"}) {
    const Outcome outcome = edgelm(std::string("report --last 1 -o ") + form);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << form;
    EXPECT_TRUE(std::string(form) != "html" ||
                outcome.out.find("[31m</script>") == std::string::npos);
  }
}

TEST_F(ReportCommand, CompareFindsARegression) {
  {
    auto store = report::Store::open(store_);
    for (auto record : test::fixture_records().measured) {
      if (record.run_id.ends_with("orin")) continue;
      record.id += "-after";
      record.run_id = "20260401-after";
      if (record.outcome == measure::Outcome::kMeasured) {
        measure::Series& decode = *record.decode_tokens_per_s;
        for (double& sample : decode.samples) sample *= 0.8;
        for (double* figure : {&decode.median, &decode.mad, &decode.low, &decode.high})
          *figure *= 0.8;
      }
      ASSERT_TRUE(store->add(record));
    }
  }
  const Outcome worse = edgelm("compare pi 20260401-after");
  EXPECT_EQ(worse.exit_code, 1);
  EXPECT_THAT(worse.out, AllOf(HasSubstr("0.800 ["), HasSubstr("worse"), HasSubstr("no change")));
  EXPECT_THAT(worse.err, HasSubstr("regression: 20 of"));
  EXPECT_EQ(edgelm("compare pi 20260401-after --threshold 50").exit_code, 0);
  EXPECT_EQ(edgelm("compare pi pi").exit_code, 0);
  const Outcome json = edgelm("compare pi 20260401-after -o json");
  const auto parsed = api::parse(json.out, "json");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_TRUE((*parsed)["regression"].get<bool>());
  const Outcome nothing = edgelm("compare pi 20260305");
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("can be paired"));
  EXPECT_THAT(edgelm("compare pi absent").err, HasSubstr("'absent' is no file, and"));
  EXPECT_EQ(edgelm("compare pi").exit_code, 2);
}

}  // namespace
}  // namespace edgelm::e2e
