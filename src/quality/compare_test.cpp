// Items are paired by id; what has nothing in common is refused.

#include "quality/compare.h"

#include <gtest/gtest.h>

#include <cmath>

namespace edgelm::quality {
namespace {

Record record() {
  Record one;
  one.model = "m.gguf";
  one.task = "hellaswag";
  one.metric = "acc";
  one.value = 0.5;
  one.n = 2;
  one.items = {{.id = "a", .value = 1}, {.id = "b", .value = 0}};
  return one;
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

// The items are log-likelihoods, and no perplexity is below 1.
TEST(Compare, PerplexitiesAreNotCalledByTheirLogarithms) {
  Record a = record();
  a.task = "lambada";
  a.metric = "perplexity";
  a.random_level = not_available("not a choice task");
  a.items = {{.id = "1", .value = -10}, {.id = "2", .value = -14}};
  Record b = a;
  b.items[1].value = -12;
  const Comparison got = compare(a, b).value();
  EXPECT_EQ(got.quantity, "mean log-likelihood");
  EXPECT_DOUBLE_EQ(got.a, -12);
  EXPECT_DOUBLE_EQ(*got.perplexity_a, std::exp(12.0));
  EXPECT_DOUBLE_EQ(*got.perplexity_b, std::exp(11.0));
  for (Item& item : b.items) item.value = -5000;
  EXPECT_NE(compare(a, b).value().perplexity_b.error().reason.find("exp(5000)"), std::string::npos);
  EXPECT_EQ(compare(record(), record()).value().quantity, "acc");
  EXPECT_FALSE(compare(record(), record()).value().perplexity_a);
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
