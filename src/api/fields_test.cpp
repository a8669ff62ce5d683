// Strict reading: what arrives, and the message and place of everything that is refused.

#include "api/fields.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

namespace edgelm::api {
namespace {

struct Item {
  std::string name;
  std::uint32_t count = 7;
};

struct Data {
  std::string text;
  double number = 0;
  bool flag = false;
  std::uint32_t small = 0;
  std::int64_t wide = 0;
  std::uint64_t huge = 0;
  Known<double> figure = not_available("not told");
  Known<std::string> word = not_available("not told");
  std::vector<std::string> words;
  std::vector<Item> items;
  enum class Kind : std::uint8_t { kFirst, kSecond } kind = Kind::kFirst;
  double inner = 0;
};

Status read(const std::string& text, Data& data) {
  const auto json = parse(text, "f.json");
  if (!json) return fail(json.error());
  constexpr std::array<std::string_view, 2> kKinds{"first", "second"};
  Fields fields(*json, "f.json");
  fields.need("text", data.text);
  fields.take("number", data.number);
  fields.take("flag", data.flag);
  fields.take("small", data.small);
  fields.take("wide", data.wide);
  fields.take("huge", data.huge);
  fields.take("figure", data.figure);
  fields.take("word", data.word);
  fields.take("words", data.words);
  fields.array("items", data.items, [](Fields& f, Item& item) {
    f.need("name", item.name);
    f.take("count", item.count);
  });
  fields.choice("kind", kKinds, data.kind);
  fields.object("outer", [&](Fields& outer) {
    outer.object("in", [&](Fields& in) { in.take("inner", data.inner); });
  });
  return fields.done();
}

std::string message(const std::string& text) {
  Data data;
  const Status status = read(text, data);
  return status ? "read" : status.error().message;
}

TEST(Fields, EveryTypeArrives) {
  Data data;
  ASSERT_TRUE(read(R"({"text":"t","number":2,"flag":true,"small":4294967295,"wide":-9,
    "huge":18446744073709551615,"figure":1.5,"word":{"absent":"no word"},"words":["a","b"],
    "items":[{"name":"x","count":3},{"name":"y"}],"kind":"second",
    "outer":{"in":{"inner":0.25}}})",
                   data));
  EXPECT_EQ(data.text, "t");
  EXPECT_EQ(data.number, 2);
  EXPECT_TRUE(data.flag);
  EXPECT_EQ(data.small, 4294967295U);
  EXPECT_EQ(data.wide, -9);
  EXPECT_EQ(data.huge, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(data.figure, 1.5);
  ASSERT_FALSE(data.word);
  EXPECT_EQ(data.word.error().reason, "no word");
  EXPECT_EQ(data.words, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(data.items.size(), 2U);
  EXPECT_EQ(data.items[0].count, 3U);
  EXPECT_EQ(data.items[1].count, 7U);
  EXPECT_EQ(data.kind, Data::Kind::kSecond);
  EXPECT_EQ(data.inner, 0.25);
}

TEST(Fields, WhatIsLeftOutKeepsItsDefault) {
  Data data;
  ASSERT_TRUE(read(R"({"text":"t","number":null})", data));
  EXPECT_EQ(data.number, 0);
  EXPECT_EQ(data.figure.error().reason, "not told");
}

TEST(Fields, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_EQ(message("{}"), "f.json: text: is missing");
  EXPECT_EQ(message("[1]"), "f.json: expected an object, got [1]");
  EXPECT_EQ(message(R"({"text":1})"), "f.json: text: expected a string, got 1");
  EXPECT_EQ(message(R"({"text":"t","numbr":1})"), "f.json: numbr: is no field that is known here");
  EXPECT_EQ(message(R"({"text":"t","number":"fast"})"),
            "f.json: number: expected a number, got \"fast\"");
  EXPECT_EQ(message(R"({"text":"t","flag":1})"), "f.json: flag: expected true or false, got 1");
  EXPECT_EQ(message(R"({"text":"t","small":4294967296})"),
            "f.json: small: expected a whole number of 0 or more, got 4294967296");
  EXPECT_EQ(message(R"({"text":"t","small":-1})"),
            "f.json: small: expected a whole number of 0 or more, got -1");
  EXPECT_EQ(message(R"({"text":"t","wide":1.5})"),
            "f.json: wide: expected a whole number, got 1.5");
  EXPECT_EQ(message(R"({"text":"t","figure":{"absen":"x"}})"), "f.json: figure.absent: is missing");
  EXPECT_EQ(message(R"({"text":"t","figure":{"absent":"x","more":1}})"),
            "f.json: figure.more: is no field that is known here");
  EXPECT_EQ(message(R"({"text":"t","words":["a",2]})"),
            "f.json: words[1]: expected a string, got 2");
  EXPECT_EQ(message(R"({"text":"t","items":{}})"), "f.json: items: expected an array, got {}");
  EXPECT_EQ(message(R"({"text":"t","items":[{"name":"a"},{"count":1}]})"),
            "f.json: items[1].name: is missing");
  EXPECT_EQ(message(R"({"text":"t","items":[{"name":"a","nme":1}]})"),
            "f.json: items[0].nme: is no field that is known here");
  EXPECT_EQ(message(R"({"text":"t","kind":"third"})"),
            "f.json: kind: expected one of first, second, got \"third\"");
  EXPECT_EQ(message(R"({"text":"t","outer":{"in":{"inner":[]}}})"),
            "f.json: outer.in.inner: expected a number, got []");
}

TEST(Fields, KnownIsAValueOrAReason) {
  EXPECT_EQ(dump(known(Known<double>(2.5)), -1), "2.5");
  EXPECT_EQ(dump(known(Known<double>(not_available("no sensor"))), -1),
            R"({"absent":"no sensor"})");
  EXPECT_EQ(dump(known(Known<double>(std::numeric_limits<double>::quiet_NaN())), -1),
            R"({"absent":"not a finite number"})");
  EXPECT_EQ(dump(known(Known<double>(std::numeric_limits<double>::infinity())), -1),
            R"({"absent":"not a finite number"})");
}

}  // namespace
}  // namespace edgelm::api
