// Choices among made-up candidates: constraints first, then the goal, with reasons.

#include "predict/recommend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "predict/quality_prior.h"
#include "predict/reference_model.h"

namespace edgelm::predict {
namespace {

using testing::HasSubstr;

Candidate candidate(const std::string& name, double tps, double joules, double quality,
                    Fit fit = Fit::kFits) {
  Candidate c;
  c.prediction.model = name;
  c.prediction.memory.fit = fit;
  c.prediction.memory.touched_bytes = 9'000'000'000;
  c.prediction.memory.usable_bytes = 8'000'000'000;
  Speed fast{.threads = 4, .tokens_per_s = {tps, tps, tps}, .term = Term::kBandwidth};
  fast.joules_per_token = Interval{joules, joules, joules};
  Speed frugal{.threads = 2, .tokens_per_s = {tps / 2, tps / 2, tps / 2}, .term = Term::kBandwidth};
  frugal.joules_per_token = Interval{joules / 2, joules / 2, joules / 2};
  c.prediction.decode = {frugal, fast};
  c.prediction.best_decode = 1;
  c.prediction.ttft_s = Interval{1, 1, 1};
  c.quality = quality;
  return c;
}

TEST(Recommend, EachGoal) {
  const std::vector<Candidate> all = {
      candidate("small", 40, 0.2, 0.3), candidate("middle", 12, 0.5, 0.6),
      candidate("large", 2, 3, 0.8), candidate("huge", 50, 0.1, 0.9, Fit::kPaging)};
  const Recommendation speed = recommend(all, Goal::kSpeed);
  EXPECT_EQ(*speed.choice, 0U);
  EXPECT_EQ(speed.threads, 4U);
  ASSERT_EQ(speed.removed.size(), 1U);
  EXPECT_THAT(speed.removed[0].reason, HasSubstr("9.0 GB touched of 8.0 GB usable"));
  EXPECT_EQ(speed.outranked.size(), 2U);

  const Recommendation energy = recommend(all, Goal::kEnergy);
  EXPECT_EQ(*energy.choice, 0U);
  EXPECT_EQ(energy.threads, 2U);  // slower, and half the joules

  const Recommendation quality = recommend(all, Goal::kQuality);
  EXPECT_EQ(*quality.choice, 1U);
  ASSERT_EQ(quality.removed.size(), 2U);
  EXPECT_THAT(quality.removed[1].reason, HasSubstr("reading wants 5"));
}

TEST(Recommend, NothingFits) {
  const Recommendation r = recommend({candidate("a", 1, 1, 1, Fit::kNo)}, Goal::kSpeed);
  EXPECT_FALSE(r.choice);
  EXPECT_THAT(r.choice.error().reason, HasSubstr("removed every candidate"));
  EXPECT_FALSE(recommend({}, Goal::kCost).choice);
}

TEST(Recommend, NoneIsFastEnoughToRead) {
  const Recommendation r =
      recommend({candidate("a", 1, 1, 0.5), candidate("b", 2, 1, 0.4)}, Goal::kQuality);
  EXPECT_EQ(*r.choice, 0U);
  EXPECT_THAT(r.why, HasSubstr("none is fast enough"));
}

TEST(Recommend, AbsentFiguresAreReasons) {
  std::vector<Candidate> all = {candidate("a", 10, 1, 0.5)};
  for (Speed& speed : all[0].prediction.decode)
    speed.joules_per_token = not_available("no power figures");
  const Recommendation r = recommend(all, Goal::kEnergy);
  EXPECT_FALSE(r.choice);
  EXPECT_THAT(r.removed.at(0).reason, HasSubstr("no power figures"));
}

TEST(QualityPrior, OrderOfSizesAndTypes) {
  const auto loss = [](const char* name) { return *expected_loss(*reference_model(name)); };
  EXPECT_LT(loss("qwen2.5-3b:Q4_K_M"), loss("qwen2.5-0.5b:F16"));
  EXPECT_LT(loss("llama3.2-1b:Q8_0"), loss("llama3.2-1b:Q4_0"));
  EXPECT_LT(loss("llama3.2-1b:Q8_0"), loss("llama3.2-3b:Q2_K"));  // two bits cost more than size
  EXPECT_FALSE(type_loss("Q1_0"));
}

TEST(Goals, Names) {
  EXPECT_EQ(*parse_goal("energy"), Goal::kEnergy);
  EXPECT_EQ(parse_goal("fame").error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace edgelm::predict
