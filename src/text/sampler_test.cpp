// Sampler: every filter against a naive reference on random logits, distributions by chi-square,
// penalties, continuation, hostile logits and parameters.

#include "text/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "support/count_allocations.h"

namespace edgelm::text {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

SamplingParams plain(float temperature = 1) {
  SamplingParams params;
  params.temperature = temperature;
  params.top_k = 0;
  params.top_p = 1;
  params.min_p = 0;
  return params;
}

std::vector<float> random_logits(Random& random, std::size_t n, bool ties) {
  std::vector<float> logits(n);
  for (float& logit : logits) {
    logit = random.uniform(-6, 6);
    if (ties) logit = std::round(logit);
  }
  return logits;
}

// Exact probabilities after all steps, written as the definition says: sort, cut, normalize.
std::vector<double> reference(std::vector<float> logits, const SamplingParams& p) {
  std::vector<std::size_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  if (p.top_k > 0 && p.top_k < order.size()) order.resize(p.top_k);
  if (p.top_p < 1) {
    double total = 0;
    for (const std::size_t id : order) total += std::exp(static_cast<double>(logits[id]));
    double sum = 0;
    std::size_t n = 0;
    while (n < order.size()) {
      sum += std::exp(static_cast<double>(logits[order[n++]]));
      if (sum >= static_cast<double>(p.top_p) * total) break;
    }
    order.resize(n);
  }
  const float best = logits[order[0]];
  std::erase_if(order, [&](std::size_t id) { return logits[id] < best + std::log(p.min_p); });
  std::vector<double> probabilities(logits.size(), 0.0);
  double total = 0;
  for (const std::size_t id : order) {
    probabilities[id] = std::exp((static_cast<double>(logits[id]) - best) / p.temperature);
    total += probabilities[id];
  }
  for (double& probability : probabilities) probability /= total;
  return probabilities;
}

// The id that a draw of `unit` must give when candidates are walked by id.
TokenId walk(const std::vector<double>& probabilities, double unit, double* distance) {
  double sum = 0;
  TokenId last = 0;
  *distance = 1;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] == 0) continue;
    sum += probabilities[i];
    *distance = std::min(*distance, std::abs(sum - unit));
    last = static_cast<TokenId>(i);
    if (sum > unit) break;
  }
  return last;
}

TEST(Sampler, EqualsTheReferenceOnRandomLogits) {
  Random random(1);
  int compared = 0;
  for (int round = 0; round < 20000; ++round) {
    const std::uint64_t sizes = round % 500 == 0 ? 20000 : round % 10 == 0 ? 2000 : 100;
    const std::size_t n = 1 + random.below(sizes);
    const std::vector<float> logits = random_logits(random, n, round % 3 == 0);
    SamplingParams p = plain(random.uniform(0.2F, 2));
    if (random.below(2) == 0) p.top_k = static_cast<std::uint32_t>(1 + random.below(n + 5));
    if (random.below(2) == 0) p.top_p = random.uniform(0, 1);
    if (random.below(2) == 0) p.min_p = random.uniform(0, 0.5F);
    p.seed = random.bits();
    ASSERT_TRUE(validate(p));
    Sampler sampler(p, static_cast<std::uint32_t>(n), 16);
    const std::vector<double> expected = reference(logits, p);
    for (std::uint64_t index = 0; index < 4; ++index) {
      double distance = 0;
      const TokenId id = walk(expected, random_unit(p.seed, index), &distance);
      if (distance < 1e-5) continue;  // float weights may round to the other side
      ++compared;
      ASSERT_EQ(sampler.sample(logits, index), id)
          << "round " << round << " n " << n << " k " << p.top_k << " p " << p.top_p;
    }
  }
  EXPECT_GT(compared, 75000);
}

TEST(Sampler, DrawsFromTheDistribution) {
  const std::vector<float> logits = {0.3F, -1, 2, 1.7F, -3, 0.9F, 1.1F, -0.4F};
  for (const float temperature : {0.5F, 1.0F, 1.8F}) {
    SamplingParams p = plain(temperature);
    p.seed = 7;
    Sampler sampler(p, 8, 1);
    std::vector<int> counts(8);
    constexpr int kDraws = 100000;
    for (int i = 0; i < kDraws; ++i) {
      ++counts[static_cast<std::size_t>(sampler.sample(logits, static_cast<std::uint64_t>(i)))];
    }
    const std::vector<double> expected = reference(logits, p);
    double chi_square = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      const double mean = kDraws * expected[i];
      chi_square += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    EXPECT_LT(chi_square, 24.3) << "7 degrees of freedom, p = 0.001; temperature " << temperature;
    EXPECT_GT(chi_square, 0.05) << "draws that even are not random";
  }
}

TEST(Sampler, GreedyTakesTheLowestOfEqualIds) {
  SamplingParams p;
  p.temperature = 0;
  Sampler sampler(p, 5, 8);
  EXPECT_EQ(sampler.sample(std::vector<float>{1, 3, 3, kNan, 2}, 0), 1);
  EXPECT_EQ(sampler.sample(std::vector<float>{-0.0F, 0.0F, -1, -1, -1}, 0), 0);
  EXPECT_EQ(sampler.sample(std::vector<float>{kNan, -kInfinity, kInfinity, kInfinity, 0}, 0), 2);
  EXPECT_EQ(sampler.sample(std::vector<float>(5, kNan), 0), 0);
  p.repetition_penalty = 2;
  Sampler penalized(p, 3, 8);
  penalized.accept(1);
  EXPECT_EQ(penalized.sample(std::vector<float>{2, 3, 1}, 0), 0);     // 3 / 2 < 2
  EXPECT_EQ(penalized.sample(std::vector<float>{-3, -2, -9}, 0), 0);  // -2 * 2 < -3
}

TEST(Sampler, HostileLogits) {
  for (const std::uint32_t top_k : {0U, 2U}) {
    for (const float top_p : {1.0F, 0.9F, 0.0F}) {
      for (const float min_p : {0.0F, 0.1F, 1.0F}) {
        SamplingParams p = plain(1e-30F);
        p.top_k = top_k;
        p.top_p = top_p;
        p.min_p = min_p;
        Sampler sampler(p, 4, 8);
        EXPECT_EQ(sampler.sample(std::vector<float>(4, -kInfinity), 0), 0);
        EXPECT_EQ(sampler.sample(std::vector<float>(4, kNan), 0), 0);
        EXPECT_EQ(sampler.sample(std::vector<float>{kNan, -kInfinity, -9, kNan}, 0), 2);
        EXPECT_EQ(sampler.sample(std::vector<float>{3, kInfinity, 9, kNan}, 0), 1);
        EXPECT_EQ(sampler.sample(std::vector<float>{3, 9.5F, 9, -3e38F}, 0), 1);
        EXPECT_EQ(sampler.sample(std::vector<float>{-7}, 0),
                  0);  // fewer logits than the vocabulary
        EXPECT_EQ(sampler.sample({}, 0), 0);
      }
    }
  }
  SamplingParams p = plain();
  p.repetition_penalty = 1e-38F;
  p.frequency_penalty = 3e38F;
  Sampler sampler(p, 3, 8);
  for (const TokenId id : {0, 0, 0, 1, -5, 99}) sampler.accept(id);
  EXPECT_EQ(sampler.sample(std::vector<float>{1, -30, kNan}, 3), 1);
}

TEST(Sampler, PenaltiesSeeTheWindow) {
  SamplingParams p;
  p.temperature = 0;
  p.presence_penalty = 1;
  p.frequency_penalty = 0.25F;
  p.penalty_window = 3;
  Sampler sampler(p, 3, 100);
  const std::vector<float> logits = {2.0F, 1.6F, 0.2F};
  for (const TokenId id : {0, 0, 0}) sampler.accept(id);
  EXPECT_EQ(sampler.sample(logits, 0), 1);  // 2 - 1 - 0.75 < 1.6
  sampler.accept(1);
  EXPECT_EQ(sampler.sample(logits, 0), 0);  // 2 - 1.5 > 1.6 - 1.25
  sampler.accept(2);
  sampler.accept(2);
  EXPECT_EQ(sampler.sample(logits, 0), 0);  // the zeros have left the window
  sampler.reset({});
  sampler.accept(0);
  EXPECT_EQ(sampler.sample(logits, 0), 1);

  p.penalty_window = 0;  // everything, up to max_tokens
  Sampler all(p, 3, 1000);
  for (int i = 0; i < 500; ++i) all.accept(i == 0 ? 0 : 2);
  EXPECT_EQ(all.sample(logits, 0), 1);
}

// Naive penalties over a plain list, thousands of random histories.
TEST(Sampler, PenaltiesEqualTheReference) {
  Random random(3);
  for (int round = 0; round < 3000; ++round) {
    SamplingParams p;
    p.temperature = 0;
    p.repetition_penalty = random.uniform(0.5F, 2);
    p.presence_penalty = random.uniform(-1, 1);
    p.frequency_penalty = random.uniform(-1, 1);
    p.penalty_window = static_cast<std::uint32_t>(random.below(8));
    std::vector<TokenId> history(random.below(30));
    for (TokenId& id : history) id = static_cast<TokenId>(random.below(12));
    std::vector<float> logits = random_logits(random, 12, false);
    Sampler sampler(p, 12, 64);
    for (const TokenId id : history) sampler.accept(id);
    const TokenId got = sampler.sample(logits, 0);
    const std::size_t window = p.penalty_window == 0 ? 64 : p.penalty_window;
    if (history.size() > window)
      history.erase(history.begin(), history.end() - static_cast<int>(window));
    for (std::size_t id = 0; id < 12; ++id) {
      const auto n = std::count(history.begin(), history.end(), static_cast<TokenId>(id));
      if (n == 0) continue;
      float& logit = logits[id];
      logit = logit > 0 ? logit / p.repetition_penalty : logit * p.repetition_penalty;
      logit = logit - p.presence_penalty - p.frequency_penalty * static_cast<float>(n);
    }
    ASSERT_EQ(got, std::max_element(logits.begin(), logits.end()) - logits.begin()) << round;
  }
}

TEST(Sampler, AStreamContinuesOnAnotherSampler) {
  SamplingParams p;
  p.repetition_penalty = 1.3F;
  p.frequency_penalty = 0.2F;
  p.penalty_window = 16;
  p.seed = 42;
  const auto logits_after = [](const std::vector<TokenId>& ids) {
    Random random(static_cast<std::uint64_t>(ids.back()) * 1000 + ids.size());
    return random_logits(random, 300, false);
  };
  Sampler first(p, 300, 512);
  std::vector<TokenId> ids = {5, 6, 7};
  first.reset(ids);
  for (std::uint64_t i = 0; i < 60; ++i) {
    ids.push_back(first.sample(logits_after(ids), i));
    first.accept(ids.back());
  }
  Sampler second(p, 300, 512);
  second.accept(250);  // reset forgets it
  std::vector<TokenId> continued(ids.begin(), ids.begin() + 30);
  second.reset(continued);
  for (std::uint64_t i = 27; i < 60; ++i) {
    continued.push_back(second.sample(logits_after(continued), i));
    second.accept(continued.back());
  }
  EXPECT_EQ(continued, ids);
}

TEST(Sampler, AllocatesOnlyWhenConstructed) {
  Random random(9);
  const std::vector<float> logits = random_logits(random, 5000, false);
  for (const std::uint32_t top_k : {0U, 40U, 4000U, 1U << 31}) {
    for (const float top_p : {1.0F, 0.9F, 0.9999F}) {
      for (const float min_p : {0.0F, 0.001F}) {
        SamplingParams p = plain();
        p.top_k = top_k;
        p.top_p = top_p;
        p.min_p = min_p;
        p.presence_penalty = 0.1F;
        p.penalty_window = 0;
        Sampler sampler(p, 5000, 64);
        EXPECT_EQ(test::allocations_of([&] {
                    for (std::uint64_t i = 0; i < 200; ++i)
                      sampler.accept(sampler.sample(logits, i));
                  }),
                  0U);
      }
    }
  }
}

TEST(Sampler, ValidateNamesTheParameter) {
  EXPECT_TRUE(validate(SamplingParams{}));
  const auto message = [](auto&& change) {
    SamplingParams p;
    change(p);
    const Status status = validate(p);
    return status ? std::string("valid") : status.error().message;
  };
  using P = SamplingParams;
  EXPECT_EQ(message([](P& p) { p.temperature = -1; }),
            "temperature: expected a finite number >= 0, got -1");
  EXPECT_EQ(message([](P& p) { p.top_p = 1.5F; }), "top_p: expected a number from 0 to 1, got 1.5");
  EXPECT_EQ(message([](P& p) { p.min_p = kNan; }), "min_p: expected a number from 0 to 1, got nan");
  EXPECT_EQ(message([](P& p) { p.repetition_penalty = 0; }),
            "repetition_penalty: expected a finite number > 0, got 0");
  EXPECT_EQ(message([](P& p) { p.presence_penalty = kInfinity; }),
            "presence_penalty: expected a finite number, got inf");
  EXPECT_EQ(message([](P& p) { p.frequency_penalty = kNan; }),
            "frequency_penalty: expected a finite number, got nan");
}

TEST(TokenLogprobs, AreTheLogSoftmax) {
  Random random(4);
  for (int round = 0; round < 300; ++round) {
    std::vector<float> logits = random_logits(random, 1 + random.below(50), round % 2 == 0);
    if (logits.size() > 3) logits[1] = round % 4 == 0 ? kNan : -kInfinity;
    double sum = 0;
    for (const float logit : logits) sum += std::isnan(logit) ? 0 : std::exp(double{logit});
    std::vector<TokenLogprob> top(round % 12 == 0 ? 60 : 5);
    const TokenLogprob of = token_logprobs(logits, 0, top);
    EXPECT_NEAR(of.logprob, logits[0] - std::log(sum), 1e-6);
    std::vector<TokenId> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto value = [&](TokenId id) {
      const float logit = logits[static_cast<std::size_t>(id)];
      return std::isnan(logit) ? -kInfinity : logit;
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](TokenId a, TokenId b) { return value(a) > value(b); });
    for (std::size_t i = 0; i < top.size(); ++i) {
      ASSERT_EQ(top[i].id, i < order.size() ? order[i] : kNoToken);
      const float expected = i < order.size() ? value(order[i]) : -kInfinity;
      if (expected == -kInfinity) {
        EXPECT_EQ(top[i].logprob, -kInfinity);
      } else {
        EXPECT_NEAR(top[i].logprob, expected - std::log(sum), 1e-6);
      }
    }
  }
  EXPECT_EQ(token_logprobs(std::vector<float>{1, 2}, 7, {}).logprob, -kInfinity);
  EXPECT_EQ(token_logprobs(std::vector<float>(3, kNan), 1, {}).logprob, -kInfinity);
  EXPECT_NEAR(token_logprobs(std::vector<float>{kInfinity, 0}, 0, {}).logprob, 0, 1e-6);
}

}  // namespace
}  // namespace edgelm::text
