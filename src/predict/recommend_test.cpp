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

TEST(Recommend, TiesAreNeverDominated) {
  // One model in power modes: the same quality. The first of the list is the worst in everything.
  const std::vector<Candidate> all = {candidate("7W", 6, 1.2, 0.5), candidate("15W", 14, 0.8, 0.5),
                                      candidate("25W", 22, 0.5, 0.5),
                                      candidate("MAXN", 24, 0.9, 0.5)};
  const Recommendation best = recommend(all, Goal::kQuality);
  EXPECT_EQ(*best.choice, 2U);  // 0.0227 against 0.0375 J s of MAXN
  EXPECT_THAT(best.why, HasSubstr("4 are as good, the least S_t"));
  EXPECT_THAT(best.why, HasSubstr("S_t 0.0227"));
  ASSERT_EQ(best.outranked.size(), 3U);
  EXPECT_THAT(best.outranked[2].reason, HasSubstr("S_t 0.0375"));

  // Without energy of one of them, the fastest.
  std::vector<Candidate> unknown = all;
  for (Speed& speed : unknown[0].prediction.decode)
    speed.joules_per_token = not_available("no power figures");
  const Recommendation fastest = recommend(unknown, Goal::kQuality);
  EXPECT_EQ(*fastest.choice, 3U);
  EXPECT_THAT(fastest.why, HasSubstr("speed decides among them"));

  // As fast: the one with less energy. As frugal: the faster one.
  const std::vector<Candidate> fast = {candidate("a", 20, 1, 0.5), candidate("b", 20, 0.5, 0.5)};
  EXPECT_EQ(*recommend(fast, Goal::kSpeed).choice, 1U);
  const std::vector<Candidate> frugal = {candidate("a", 10, 1, 0.5), candidate("b", 20, 1, 0.5)};
  EXPECT_EQ(*recommend(frugal, Goal::kEnergy).choice, 1U);

  // Alike in both: the sooner first token, then the smaller model.
  std::vector<Candidate> alike = {candidate("a", 20, 1, 0.5), candidate("b", 20, 1, 0.5)};
  alike[0].prediction.ttft_s = Interval{2, 2, 2};
  EXPECT_EQ(*recommend(alike, Goal::kQuality).choice, 1U);
  alike[0].prediction.ttft_s = Interval{1, 1, 1};
  alike[0].prediction.memory.weights_bytes = 2;
  alike[1].prediction.memory.weights_bytes = 1;
  EXPECT_EQ(*recommend(alike, Goal::kSpeed).choice, 1U);
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
