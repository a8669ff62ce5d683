// Pairing and verdicts over made-up records.

#include "report/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/report_fixture.h"

namespace edgelm::report {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Loaded loaded(const std::string& name, double factor = 1, std::uint32_t seed = 0) {
  Loaded side{.name = name, .records = {}, .runs = {}};
  for (const std::uint32_t threads : {1U, 4U}) {
    measure::Record r = test::fixture_cell(test::fixture_models()[1], false, threads, 0, threads);
    r.decode_tokens_per_s = test::fixture_series(40 * factor, seed + threads, 20);
    r.prefill_tokens_per_s = test::fixture_series(100, seed + threads + 50, 20);
    r.ttft_ms = test::fixture_series(5000 / factor, seed + threads + 90, 20);
    side.records.measured.push_back(r);
  }
  return side;
}

const Difference& find(const Comparison& c, const std::string& cell, const std::string& quantity) {
  const auto at =
      std::find_if(c.differences.begin(), c.differences.end(), [&](const Difference& d) {
        return d.cell.find(cell) != std::string::npos && d.quantity == quantity;
      });
  EXPECT_NE(at, c.differences.end()) << cell << quantity;
  return *at;
}

TEST(Compare, SlowerIsARegressionAndFasterIsNone) {
  const auto slower = compare(loaded("a"), loaded("b", 0.9, 7), {});
  ASSERT_TRUE(slower) << slower.error().message;
  EXPECT_TRUE(slower->regression);
  const Difference& decode = find(*slower, "4 thr", "decode");
  EXPECT_EQ(decode.verdict, stats::Verdict::kWorse);
  EXPECT_NEAR(decode.ratio.ratio, 0.9, 0.02);
  EXPECT_LT(decode.ratio.high, 1);
  EXPECT_GE(decode.adjusted_p, decode.ratio.p_value);
  EXPECT_EQ(find(*slower, "4 thr", "TTFT").verdict, stats::Verdict::kWorse);
  EXPECT_EQ(find(*slower, "4 thr", "prefill").verdict, stats::Verdict::kNoChange);

  const auto faster = compare(loaded("a"), loaded("b", 1.1, 7), {});
  EXPECT_FALSE(faster->regression);
  EXPECT_EQ(find(*faster, "4 thr", "decode").verdict, stats::Verdict::kBetter);
  const auto allowed = compare(loaded("a"), loaded("b", 0.9, 7), {.threshold = 0.2});
  EXPECT_FALSE(allowed->regression) << "within the threshold";
  EXPECT_FALSE(compare(loaded("a"), loaded("a"), {})->regression);
}

TEST(Compare, TheVersionMayDifferAndIsSaid) {
  Loaded after = loaded("b");
  for (auto& record : after.records.measured) record.settings.engine = "edgelm 0.3.0";
  const auto comparison = compare(loaded("a"), after, {});
  EXPECT_THAT(comparison->unpaired, IsEmpty());
  EXPECT_THAT(comparison->notes,
              Contains(HasSubstr("engine edgelm 0.2.0 before, edgelm 0.3.0 after")));
}

TEST(Compare, WhatCannotBePairedIsSaid) {
  Loaded after = loaded("b");
  after.records.measured[0].settings.threads = 2;
  const auto comparison = compare(loaded("a"), after, {});
  EXPECT_THAT(comparison->unpaired, SizeIs(2));
  EXPECT_THAT(comparison->unpaired, Contains(HasSubstr("1 thr: only in a")));
  EXPECT_THAT(comparison->unpaired, Contains(HasSubstr("2 thr: only in b")));
  for (auto& record : after.records.measured) record.passport.fingerprint = "another";
  const auto none = compare(loaded("a"), after, {});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("nothing in a and b can be paired"));
  EXPECT_TRUE(compare(loaded("a"), after, {.across = {"device", "threads"}}));
}

TEST(Compare, WhatFailsNowIsARegression) {
  Loaded after = loaded("b");
  after.records.measured[1].outcome = measure::Outcome::kOutOfMemory;
  after.records.measured[1].reason = "killed by the system";
  const auto comparison = compare(loaded("a"), after, {});
  EXPECT_TRUE(comparison->regression);
  EXPECT_THAT(comparison->unpaired, Contains(HasSubstr("not any more: killed by the system")));
}

TEST(Compare, WhatCouldNotBeReadIsLeftOutOfBothSides) {
  Loaded before = loaded("a");
  Loaded after = loaded("b");
  EXPECT_THAT(compare(before, after, {})->left_out, IsEmpty());
  before.records.unreadable = {"a:3: damaged"};
  after.records.unreadable = {"b:1: damaged"};
  const auto comparison = compare(before, after, {});
  ASSERT_TRUE(comparison) << comparison.error().message;
  EXPECT_FALSE(comparison->regression);
  EXPECT_THAT(comparison->left_out, ElementsAre("a:3: damaged", "b:1: damaged"));
  EXPECT_EQ(to_json(*comparison)["left_out"].size(), 2U);
}

TEST(Compare, EnergyOfOtherScopesIsNotCompared) {
  Loaded after = loaded("b");
  for (auto& record : after.records.measured) record.sensor.scope = device::Scope::kWall;
  const auto comparison = compare(loaded("a"), after, {});
  EXPECT_THAT(comparison->notes, Contains(HasSubstr("different scopes (modelled, wall)")));
  for (const Difference& d : comparison->differences) EXPECT_NE(d.quantity, "decode energy");
  EXPECT_FALSE(find(*compare(loaded("a"), loaded("b"), {}), "4 thr", "decode energy").tested);
}

// Alternating runs whose speed drifts together: the pairs decide.
TEST(Compare, RepeatedRunsArePairs) {
  Loaded before{.name = "a", .records = {}, .runs = {}};
  Loaded after{.name = "b", .records = {}, .runs = {}};
  for (std::uint32_t i = 0; i < 8; ++i) {
    measure::Record r = test::fixture_cell(test::fixture_models()[1], false, 4, 0, i);
    r.decode_tokens_per_s = test::fixture_series(40 + 5 * i, i, 3);
    before.records.measured.push_back(r);
    r.decode_tokens_per_s = test::fixture_series((40 + 5 * i) * 0.9, i, 3);
    after.records.measured.push_back(r);
  }
  const auto comparison = compare(before, after, {});
  const Difference& decode = find(*comparison, "4 thr", "decode");
  EXPECT_EQ(decode.method, "8 pairs, sign test");
  EXPECT_EQ(decode.verdict, stats::Verdict::kWorse);
  EXPECT_NEAR(decode.ratio.ratio, 0.9, 1e-9);
}

TEST(Compare, ScoresArePairedByItem) {
  Loaded before{.name = "a", .records = {}, .runs = {}};
  quality::Record q = test::fixture_evaluation(test::fixture_models()[1]);
  q.items.clear();
  for (int i = 0; i < 200; ++i)
    q.items.push_back({.id = std::to_string(i), .value = i % 2 == 0 ? 1.0 : 0.0});
  q.value = 0.5;
  before.records.quality = {q};
  Loaded after = before;
  after.name = "b";
  for (int i = 0; i < 40; ++i)
    after.records.quality[0].items[static_cast<std::size_t>(i)].value = 0;
  after.records.quality[0].value = 0.4;
  const auto comparison = compare(before, after, {});
  ASSERT_TRUE(comparison) << comparison.error().message;
  const Difference& score = comparison->differences.at(0);
  EXPECT_EQ(score.verdict, stats::Verdict::kWorse);
  EXPECT_NEAR(score.ratio.ratio, 0.8, 1e-9);
  EXPECT_TRUE(comparison->regression);
}

}  // namespace
}  // namespace edgelm::report
