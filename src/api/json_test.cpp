// What dump() promises beyond nlohmann-json: valid output for any string and any number.

#include "api/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace edgelm::api {
namespace {

TEST(Json, KeepsTheOrderOfKeys) {
  Json value;
  value["zebra"] = 1;
  value["apple"] = {1, 2};
  EXPECT_EQ(dump(value, -1), R"({"zebra":1,"apple":[1,2]})");
  EXPECT_EQ(dump(Json{{"a", 1}}), "{\n  \"a\": 1\n}");
}

TEST(Json, WritesNonFiniteAsNull) {
  Json value = Json::array();
  value.push_back(std::numeric_limits<double>::quiet_NaN());
  value.push_back(std::numeric_limits<double>::infinity());
  EXPECT_EQ(dump(value, -1), "[null,null]");
}

TEST(Json, ReplacesInvalidUtf8AndStaysParsable) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; second += 3) {
      const std::string hostile{static_cast<char>(first), static_cast<char>(second)};
      const std::string text = dump(Json{{hostile, hostile}}, -1);
      EXPECT_TRUE(Json::accept(text)) << first << " " << second;
    }
  }
  EXPECT_EQ(dump(Json("a\xff z"), -1), "\"a\xef\xbf\xbd z\"");
}

TEST(Json, EscapesEveryControlCharacter) {
  EXPECT_EQ(dump(Json("\x1b[2J\x7f\xc2\x9b\xc2\xa0"), -1), "\"\\u001b[2J\\u007f\\u009b\xc2\xa0\"");
  EXPECT_EQ(Json::parse(dump(Json("\xc2\x85"), -1)), Json("\xc2\x85"));
}

}  // namespace
}  // namespace edgelm::api
