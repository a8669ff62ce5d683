// The text cases of tests/e2e/cases: one test per `case`. Format, one item per line:
//   case NAME          starts a case
//   needs data         skipped when the external data folder is absent
//   in TEXT            a line of standard input (\n is added); may repeat
//   $ COMMAND          the shell command, in a scratch folder; $DATA is the data folder, $SRC this
//   tree exit N             expected exit code (default 0) out TEXT           standard output
//   contains TEXT;   out= TEXT   is exactly that line err TEXT           standard error contains
//   TEXT no-out TEXT, no-err TEXT     does not contain; `no-out` alone: is empty

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "process.h"
#include "support/data.h"

namespace edgelm::e2e {
namespace {

struct Check {
  std::string kind;
  std::string text;
};

struct Case {
  std::string name;
  std::string where;
  std::string command;
  std::string input;
  bool needs_data = false;
  int exit_code = 0;
  std::vector<Check> checks;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.where; }  // for messages

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::ifstream file(path);
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string word = line.substr(0, space);
    const std::string rest = space < line.size() ? line.substr(space + 1) : "";
    if (word == "case") {
      cases.push_back({});
      cases.back().name = rest;
      cases.back().where = path.filename().string() + ":" + std::to_string(number);
    } else if (word == "$") {
      cases.back().command = rest;
    } else if (word == "in") {
      cases.back().input += rest + "\n";
    } else if (word == "needs") {
      cases.back().needs_data = true;
    } else if (word == "exit") {
      cases.back().exit_code = std::stoi(rest);
    } else {
      cases.back().checks.push_back({word, rest});
    }
  }
  return cases;
}

std::vector<Case> all_cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(test::source_dir() + "/tests/e2e/cases"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const auto& file : files)
    for (Case& one : read_cases(file)) cases.push_back(std::move(one));
  return cases;
}

class CommandLine : public ::testing::TestWithParam<Case> {};

TEST_P(CommandLine, Behaves) {
  const Case& c = GetParam();
  SCOPED_TRACE(c.where + ": " + c.command);
  if (c.needs_data && !test::shared_data()) GTEST_SKIP() << "the external data folder is absent";
  const Outcome got = run(c.command, c.input);
  EXPECT_EQ(got.exit_code, c.exit_code) << "stderr: " << got.err;
  for (const Check& check : c.checks) {
    const bool out = check.kind.find("out") != std::string::npos;
    const std::string& text = out ? got.out : got.err;
    const bool found = text.find(check.text) != std::string::npos;
    if (check.kind == "out=") {
      EXPECT_EQ(got.out, check.text + "\n");
    } else if (check.kind == "out" || check.kind == "err") {
      EXPECT_TRUE(found) << check.kind << " lacks '" << check.text << "': " << text.substr(0, 2000);
    } else if (check.kind == "no-out" || check.kind == "no-err") {
      if (check.text.empty()) {
        EXPECT_EQ(text, "");
      } else {
        EXPECT_FALSE(found) << check.kind << " has '" << check.text
                            << "': " << text.substr(0, 2000);
      }
    } else {
      ADD_FAILURE() << "unknown check '" << check.kind << "'";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, CommandLine, ::testing::ValuesIn(all_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace edgelm::e2e
