// There and back, and what is refused.

#include "quality/record_json.h"

#include <gtest/gtest.h>

#include "quality/compare.h"

namespace edgelm::quality {
namespace {

Record record() {
  Record one;
  one.model = "m.gguf";
  one.task = "hellaswag";
  one.metric = "acc";
  one.value = 0.5;
  one.low = 0.1;
  one.high = 0.9;
  one.n = 2;
  one.items = {{.id = "a", .value = 1, .question = "", .answer = "yes", .expected = ""},
               {.id = "b", .value = 0, .question = "", .answer = "", .expected = "no"}};
  return one;
}

TEST(RecordJson, RoundTrips) {
  const std::string text = api::dump({{"records", {to_json(record())}}});
  const auto back = parse_records(text, "r.json").value();
  ASSERT_EQ(back.size(), 1U);
  EXPECT_EQ(to_json(back[0]), to_json(record()));
  EXPECT_EQ(back[0].random_level.error().reason, "not a choice task");
  EXPECT_EQ(back[0].items[0].answer, "yes");
}

TEST(RecordJson, RefusesWhatIsNoRecord) {
  const auto check = [](std::string_view text, std::string_view word) {
    const auto got = parse_records(text, "r.json");
    ASSERT_FALSE(got) << text;
    EXPECT_NE(got.error().message.find("r.json"), std::string::npos) << got.error().message;
    EXPECT_NE(got.error().message.find(word), std::string::npos) << got.error().message;
  };
  check("", "");
  check("[]", "list of records");
  check("{\"records\": 3}", "list of records");
  check("[3]", "record 1");
  check("{\"task\": \"x\"}", "metric");
  check("{\"task\": \"x\", \"metric\": \"y\", \"items\": [{\"id\": 1}]}", "item 1");
  check("{\"task\": \"x\", \"metric\": \"y\", \"items\": [{\"id\": \"a\"}]}", "value");
  check("{\"task\": \"x\", \"metric\": \"y\", \"n\": -1}", "n");
}

TEST(Compare, MeansArePairedByItem) {
  Record a = record();
  Record b = record();
  a.random_level = b.random_level = not_available("not a choice task");
  a.items = {{.id = "1", .value = -10}, {.id = "2", .value = -20}, {.id = "3", .value = -30}};
  b.items = {{.id = "3", .value = -28}, {.id = "1", .value = -9}, {.id = "4", .value = 0}};
  const Comparison got = compare(a, b).value();
  EXPECT_EQ(got.n, 2U);
  EXPECT_EQ(got.unpaired, 2U);
  EXPECT_DOUBLE_EQ(got.difference.mean, 1.5);
  EXPECT_DOUBLE_EQ(got.difference.standard_error, 0.5);
  EXPECT_FALSE(got.shares);
}

TEST(Compare, RefusesWhatHasNothingInCommon) {
  Record a = record();
  Record b = record();
  for (Item& item : b.items) item.id += "x";
  EXPECT_NE(compare(a, b).error().message.find("no item in common"), std::string::npos);
  b.metric = "acc_norm";
  EXPECT_FALSE(compare(a, b));
  const auto none = compare_all({a}, {b});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("hellaswag (acc_norm)"), std::string::npos);
}

}  // namespace
}  // namespace edgelm::quality
