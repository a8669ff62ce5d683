// The strict reader: what it takes, and what it refuses with which words.

#include <gtest/gtest.h>

#include <string>

#include "api/json.h"

namespace edgelm::api {
namespace {

TEST(JsonParse, ReadsWhatItWrites) {
  const std::string text =
      R"({"b":[1,-2,2.5,true,null,"x\u00e9"],"a":{"c":{}},"u":18446744073709551615})";
  const Result<Json> value = parse(text, "test");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(dump(*value, -1),
            "{\"b\":[1,-2,2.5,true,null,\"xé\"],\"a\":{\"c\":{}},\"u\":18446744073709551615}");
}

TEST(JsonParse, RefusesWhatAReaderShouldNotTake) {
  const auto reason = [](const std::string& text) {
    const Result<Json> value = parse(text, "file");
    return value ? std::string("accepted") : value.error().message;
  };
  EXPECT_NE(reason(R"({"a":1,"a":2})").find("key 'a' twice"), std::string::npos);
  EXPECT_NE(reason("1e999").find("not valid JSON"), std::string::npos);
  EXPECT_NE(reason("[1] 2").find("not valid JSON"), std::string::npos);
  EXPECT_NE(reason("").find("not valid JSON"), std::string::npos);
  EXPECT_NE(reason("[NaN]").find("not valid JSON"), std::string::npos);
  EXPECT_NE(reason("\"\xff\"").find("not valid JSON"), std::string::npos);
  EXPECT_NE(reason(std::string(65, '[') + std::string(65, ']')).find("more than 64 levels"),
            std::string::npos);
  EXPECT_EQ(reason(std::string(64, '[') + std::string(64, ']')), "accepted");
  EXPECT_NE(reason(std::string(1'000'000, '[')).find("more than 64 levels"), std::string::npos);
}

TEST(JsonParse, TypedAccessNamesWhatItFound) {
  const Json value = {{"s", "text"}, {"n", 1.5}, {"u", 7.0}, {"z", nullptr}};
  EXPECT_EQ(string_at(value, "s", "f").value(), "text");
  EXPECT_DOUBLE_EQ(number_at(value, "n", "f").value(), 1.5);
  EXPECT_EQ(unsigned_at(value, "u", "f").value(), 7U);
  EXPECT_EQ(string_at(value, "z", "f").error().message, "f: 'z': expected a string, got nothing");
  EXPECT_EQ(unsigned_at(value, "n", "f").error().message,
            "f: 'n': expected a whole number of 0 or more, got 1.5");
  EXPECT_EQ(find(Json(3), "s"), nullptr);
}

}  // namespace
}  // namespace edgelm::api
