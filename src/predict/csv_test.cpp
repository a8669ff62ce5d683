// The table reader: what it takes, and the line it names for what it does not.

#include "predict/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgelm::predict {
namespace {

using testing::HasSubstr;

TEST(Csv, FieldsQuotesAndComments) {
  const auto table = CsvTable::parse("# note\na,b\n1.5,\"x, \"\"y\"\"\"\r\n,3\n", "t.csv");
  ASSERT_TRUE(table) << table.error().message;
  ASSERT_EQ(table->rows(), 2U);
  EXPECT_EQ(*table->number(0, "a"), 1.5);
  EXPECT_EQ(*table->text(0, "b"), "x, \"y\"");
  EXPECT_EQ(*table->number(1, "a"), std::nullopt);
  EXPECT_EQ(*table->count(1, "b"), 3U);
  EXPECT_TRUE(table->has("a"));
  EXPECT_FALSE(table->has("c"));
}

TEST(Csv, Faults) {
  const auto message = [](std::string_view text) {
    const auto table = CsvTable::parse(text, "t.csv");
    return table ? std::string("read") : table.error().message;
  };
  EXPECT_THAT(message(""), HasSubstr("no header"));
  EXPECT_THAT(message("a,b\n1\n"), HasSubstr("t.csv:2: 1 fields, expected 2"));
  EXPECT_THAT(message("a,a\n"), HasSubstr("twice"));
  EXPECT_THAT(message("a\n\"x\n"), HasSubstr("t.csv:2: a quote"));
  const auto table = CsvTable::parse("a\n-1\n1e999\nx\n1.5\n", "t.csv");
  ASSERT_TRUE(table);
  for (std::size_t row = 0; row < 3; ++row) EXPECT_FALSE(table->number(row, "a"));
  EXPECT_FALSE(table->count(3, "a"));
  EXPECT_FALSE(table->text(0, "b"));
}

}  // namespace
}  // namespace edgelm::predict
