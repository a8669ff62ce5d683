#include "report/record_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/record_fixture.h"

namespace edgelm::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string text(const auto& record) { return api::dump(to_json(record), -1); }

// Two records are equal when their JSON is: every field is written, which the test below checks.
TEST(RecordJson, MeasureRecordComesBackWhole) {
  const measure::Record record = test::full_measure_record();
  const auto back = record_from_text(text(record), "r");
  ASSERT_TRUE(back) << back.error().message;
  const auto& read = std::get<measure::Record>(*back);
  EXPECT_EQ(text(read), text(record));
  EXPECT_EQ(read.needed_bytes, record.needed_bytes);
  EXPECT_EQ(read.decode_tokens_per_s->samples, record.decode_tokens_per_s->samples);
  EXPECT_EQ(read.itl_p99_ms.error().reason, "128 tokens: fewer than 1000");
  EXPECT_TRUE(std::isnan(read.states[1].celsius));
  EXPECT_EQ(read.watts[2].t_ns, -5);
  EXPECT_EQ(read.notes, record.notes);
  EXPECT_EQ(read.outcome, measure::Outcome::kOutOfMemory);
  EXPECT_EQ(read.sensor.scope, device::Scope::kModelled);
}

TEST(RecordJson, RecordsFromBeforePhasesWereKeptCanBeRead) {
  api::Json json = to_json(test::full_measure_record());
  ASSERT_EQ(json.erase("phases"), 1U);
  const auto back = record_from_json(json, "r");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(std::get<measure::Record>(*back).phases.empty());
}

TEST(RecordJson, QualityRecordComesBackWhole) {
  const quality::Record record = test::full_quality_record();
  const auto back = record_from_text(text(record), "r");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(text(std::get<quality::Record>(*back)), text(record));
}

// A record whose every field differs from the default, against the default record: any key that is
// equal in both would be a field that is not written, or a fixture that does not set it.
void expect_all_differ(const api::Json& set, const api::Json& plain, const std::string& path) {
  for (const auto& [key, value] : set.items()) {
    std::string at = path;
    at.append("/").append(key);
    if (at == "/passport" || at == "/sensor") continue;  // device/ tests these
    if (value.is_object() && plain.contains(key) && plain[key].is_object() &&
        !value.contains("absent")) {
      expect_all_differ(value, plain[key], at);
    } else if (at != "/format") {
      EXPECT_NE(value, plain.value(key, api::Json())) << at << " is as by default";
    }
  }
}

TEST(RecordJson, FixtureSetsEveryField) {
  expect_all_differ(to_json(test::full_measure_record()), to_json(measure::Record{}), "");
  expect_all_differ(to_json(test::full_quality_record()), to_json(quality::Record{}), "");
}

// A member that fields() does not name would be lost without a word. Sizes are of this ABI.
TEST(RecordJson, NoMemberIsForgotten) {
#if defined(__x86_64__) && defined(__GLIBCXX__) && !defined(_GLIBCXX_DEBUG)
  constexpr const char* kWhatToDo =
      "a member was added or removed: change fields() in "
      "record_json.cpp, the fixture, and this";
  EXPECT_EQ(sizeof(measure::Record), 4000U) << kWhatToDo;
  EXPECT_EQ(sizeof(quality::Record), 560U) << kWhatToDo;
#else
  GTEST_SKIP() << "sizes are known for x86-64 with libstdc++ alone";
#endif
}

struct Bad {
  const char* from;
  const char* to;
  const char* message;
};

class BadRecord : public ::testing::TestWithParam<Bad> {};

TEST_P(BadRecord, IsRefusedByName) {
  std::string damaged = text(test::full_measure_record());
  const std::size_t at = damaged.find(GetParam().from);
  ASSERT_NE(at, std::string::npos) << GetParam().from;
  damaged.replace(at, std::string(GetParam().from).size(), GetParam().to);
  const auto back = record_from_text(damaged, "x.jsonl:3");
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().message, AllOf(HasSubstr("x.jsonl:3"), HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, BadRecord,
    ::testing::Values(
        Bad{"\"threads\":3", "\"threads\":-3", "settings: threads: expected a whole number"},
        Bad{"\"threads\":3", "\"threads\":4294967296", "in range, got 4294967296"},
        Bad{"\"threads\":3", "\"threads\":3.5", "got 3.5"},
        Bad{"\"threads\":3", "\"threads\":\"3\"", "got \"3\""},
        Bad{"\"threads\":3,", "", "settings: 'threads' is missing"},
        Bad{"\"threads\":3", "\"threads\":3,\"gpus\":1", "unknown field 'gpus'"},
        Bad{"\"threads\":3", "\"threads\":3,\"threads\":4", "twice"},
        Bad{"\"share\":0.25", "\"share\":\"inf\"",
            "shape: weights: share: expected a number from 0 to 1, got inf"},
        Bad{"\"out of memory\"", "\"fine\"", "outcome: expected one of measured, infeasible"},
        Bad{"\"median\":9.25,", "\"median\":-5,",
            "decode_tokens_per_s: median: expected a number from 0 to 1e+18, got -5"},
        Bad{"\"median\":9.25,", "\"median\":1e308,", "median: expected a number from 0"},
        Bad{"\"median\":9.25,", "\"median\":null,", "median: expected a number from 0"},
        Bad{"\"median\":9.25,", "\"median\":9.4,", "the median is not between low and high"},
        Bad{"\"samples\":[9.25,", "\"samples\":[-9.25,", "samples: expected numbers from 0"},
        Bad{"\"samples\":[9.25,", "\"samples\":[\"inf\",", "samples: expected numbers from 0"},
        Bad{"\"samples\":[9.25,9.3425,", "\"samples\":[9.15,9.15,",
            "the median is not between the least and the largest"},
        Bad{"\"joules\":97.0", "\"joules\":-3", "decode: gross: joules: expected a number from 0"},
        Bad{"\"coverage\":0.98", "\"coverage\":1.5", "coverage: expected a number from -1e-09"},
        Bad{"\"net_joules\":61.5", "\"net_joules\":\"-inf\"", "net_joules: expected a number"},
        Bad{"\"weights_resident\":0.625", "\"weights_resident\":7",
            "memory: weights_resident: expected a number from 0 to 1, got 7"},
        Bad{"\"warm_load_ms\":12.75", "\"warm_load_ms\":-1", "warm_load_ms: expected a number"},
        Bad{"\"itl_p50_ms\":107.5", "\"itl_p50_ms\":1e19", "itl_p50_ms: expected a number"},
        Bad{"\"max_celsius\":71.5", "\"max_celsius\":-300", "state: max_celsius: expected"},
        Bad{"[250000000,8.125,false]", "[250000000,1e300,false]", "watts: expected a number"},
        Bad{"\"outliers\":[3,4]", "\"outliers\":[3,5]", "beyond the samples"},
        Bad{"\"settled\":false", "\"settled\":0", "settled: expected true or false"},
        Bad{"\"warm_load_ms\":12.75", "\"warm_load_ms\":{\"absent\":7}", "expected a string"},
        Bad{"\"warm_load_ms\":12.75", "\"warm_load_ms\":\"soon\"", "expected a number"},
        Bad{"[250000000,8.125,false]", "[250000000]", "'watts' is missing (element 1)"},
        Bad{"[250000000,8.125,false]", "[250000000,8.125,false,1]", "4 values, expected 3"},
        Bad{"[\"load\",0,", "[\"nap\",0,", "phases: phase: expected one of load, first runs"},
        Bad{"[\"load\",0,", "[\"load\",250000001,", "phases: a phase ends before it begins"},
        Bad{"edgelm.measure/1", "edgelm.measure/9", "newer edgelm"},
        Bad{"edgelm.measure/1", "llama", "not of a record"},
        Bad{"{\"format\"", "{\"x\":1e999,\"format\"", "1e999"}));

TEST(RecordJson, NetEnergyMayBeLessThanNothing) {
  measure::Record record = test::full_measure_record();
  record.decode.net_joules = -0.5;
  const auto back = record_from_text(text(record), "r");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(std::get<measure::Record>(*back).decode.net_joules, -0.5);
}

TEST(RecordJson, ScoresAreNumbers) {
  const auto refused = [](const quality::Record& record) {
    const auto back = record_from_text(text(record), "r");
    return back ? std::string() : back.error().message;
  };
  const double infinity = std::numeric_limits<double>::infinity();
  quality::Record record = test::full_quality_record();
  record.value = -infinity;
  EXPECT_THAT(refused(record), HasSubstr("r: value: expected a number"));
  record = test::full_quality_record();
  record.items[1].value = infinity;
  EXPECT_THAT(refused(record), HasSubstr("items: value: expected a number"));
  record = test::full_quality_record();
  record.low = 0.9;
  EXPECT_THAT(refused(record), HasSubstr("low is above high"));
  record.low = record.high = std::nan("");  // of a single item
  EXPECT_EQ(refused(record), "");
  record.random_level = 3.0;
  EXPECT_THAT(refused(record), HasSubstr("random_level: expected a number from 0 to 1"));
}

TEST(RecordJson, NoBeginningOfARecordIsARecord) {
  const std::string whole = text(test::full_measure_record());
  for (std::size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 97)
    EXPECT_FALSE(record_from_text(std::string_view(whole).substr(0, size), "r")) << size;
}

}  // namespace
}  // namespace edgelm::report
