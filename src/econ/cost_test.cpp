// The papers' arithmetic exactly, and what happens without figures.

#include "econ/cost.h"

#include <gtest/gtest.h>

#include "econ/score.h"
#include "econ/summary.h"

namespace edgelm::econ {
namespace {

// To the digits that arXiv 2505.16508 prints.
std::string cents(double amount, int digits) {
  return fmt::format("{:.{}f}", amount * 100, digits);
}

TEST(Cost, CostPerResponseOfThePaper) {
  EXPECT_EQ(cents(energy_cost(590, 0.25), 4), "0.0041");
  EXPECT_EQ(cents(energy_cost(245, 0.25), 4), "0.0017");
  const CloudModel* gpt4 = default_prices().find_cloud("GPT-4");
  ASSERT_NE(gpt4, nullptr);
  EXPECT_DOUBLE_EQ(cloud_cost(*gpt4, 100, 225), 0.0165);
  EXPECT_EQ(cents(cloud_cost(*gpt4, 100, 225), 2), "1.65");
  EXPECT_DOUBLE_EQ(default_prices().price_per_kwh, 0.25);
}

TEST(Cost, PerMillionTokens) {
  // 0.45 J/token: 0.125 kWh per million.
  EXPECT_DOUBLE_EQ(energy_cost_per_million(0.45, 0.25), 0.03125);
  // 80 over one year at full use and 10 tokens/s: 315.576 million tokens.
  EXPECT_NEAR(*hardware_cost_per_million(80, 1, 1, 10), 80 / 315.576, 1e-12);
  EXPECT_FALSE(hardware_cost_per_million(80, 1, 1, 0));
  EXPECT_FALSE(hardware_cost_per_million(0, 1, 1, 10));
  EXPECT_FALSE(hardware_cost_per_million(80, 1, 1.5, 10));
}

TEST(Cost, BreakEven) {
  const CloudModel cloud{.name = "x",
                         .provider = "y",
                         .input_per_million = 0,
                         .output_per_million = 10,
                         .source = "s",
                         .date = "d"};
  // 100 tokens at 10 per million: 0.001; 3.6e6 J/1e6... 360 J at 0.25: 0.000025.
  BreakEvenInput input{.device_price = 78,
                       .lifetime_years = 2,
                       .prompt_tokens = 50,
                       .output_tokens = 100,
                       .joules_per_response = 360,
                       .tokens_per_s = 10,
                       .price_per_kwh = 0.25};
  const BreakEven even = break_even(input, cloud);
  EXPECT_DOUBLE_EQ(even.cloud_per_million, 10);
  EXPECT_DOUBLE_EQ(even.edge_per_million, 0.25);
  EXPECT_NEAR(*even.tokens, 8e6, 1e-3);  // 78 / 9.75 per million
  EXPECT_NEAR(*even.tokens_per_day, 8e6 / 730.5, 1e-6);
  EXPECT_NEAR(*even.days_nonstop, 8e6 / 10 / 86400, 1e-6);
  EXPECT_FALSE(even.beyond_lifetime);
  input.tokens_per_s = 0.1;  // 926 days of the 730 there are
  EXPECT_TRUE(break_even(input, cloud).beyond_lifetime);
}

TEST(Cost, BreakEvenNeverWhenTheCloudIsCheaper) {
  const CloudModel cloud{.name = "x",
                         .provider = "y",
                         .input_per_million = 0,
                         .output_per_million = 0.01,
                         .source = "s",
                         .date = "d"};
  const BreakEven even = break_even({.device_price = 80,
                                     .lifetime_years = 3,
                                     .output_tokens = 100,
                                     .joules_per_response = 500,
                                     .tokens_per_s = 1,
                                     .price_per_kwh = 0.25},
                                    cloud);
  EXPECT_FALSE(even.tokens);
  EXPECT_NE(even.tokens.error().reason.find("cloud costs less"), std::string::npos);
}

TEST(Cost, Carbon) {
  EXPECT_DOUBLE_EQ(operational_grams(3.6e6, 475), 475);
  EXPECT_NEAR(*embodied_grams(10.0, kSecondsPerYear, 2, 0.5), 10'000, 1e-9);
  const Known<double> absent = embodied_grams(not_available("why"), 1, 1, 1);
  EXPECT_EQ(absent.error().reason, "why");
}

TEST(Score, TradeOffShowsBothFactors) {
  const Known<TradeOff> score = trade_off(0.5, 10);
  ASSERT_TRUE(score);
  EXPECT_DOUBLE_EQ(score->s_t, 0.05);  // P / t^2: 5 W / 100
  EXPECT_DOUBLE_EQ(score->tokens_per_joule, 2);
  EXPECT_FALSE(trade_off(0, 10));
  EXPECT_FALSE(trade_off(0.5, 0));
}

TEST(Score, Usability) {
  EXPECT_EQ(usability(0.5, 20), Usability::kComfortable);
  EXPECT_EQ(usability(0.5, 6), Usability::kUsable);
  EXPECT_EQ(usability(5, 6), Usability::kSlowToStart);
  EXPECT_EQ(usability(0.5, 2), Usability::kSlowToRead);
  EXPECT_EQ(usability(5, 2), Usability::kBatchOnly);
  EXPECT_EQ(
      usability(5, 2, {.ttft_s = 10, .reading_tokens_per_s = 1, .comfortable_tokens_per_s = 2}),
      Usability::kComfortable);
}

TEST(Score, UtilityAndPcr) {
  EXPECT_DOUBLE_EQ(responsiveness(0), 1);
  EXPECT_DOUBLE_EQ(responsiveness(1), 0.5);
  const Known<Utility> one = utility(0.5, 0.9, 0.5, 0.0000410);
  ASSERT_TRUE(one);
  EXPECT_DOUBLE_EQ(one->utility, 0.7);
  EXPECT_NEAR(*one->pcr, 0.7 / 0.0041, 1e-9);
  EXPECT_FALSE(utility(1.1, 0.9, 0.5, 1));
  EXPECT_FALSE(utility(0.5, 90, 0.5, 1));
  const std::vector<Utility> sweep = sweep_alpha(0.9, 0.5, 0.01, 3);
  ASSERT_EQ(sweep.size(), 3U);
  EXPECT_DOUBLE_EQ(sweep[0].utility, 0.5);
  EXPECT_DOUBLE_EQ(sweep[1].utility, 0.7);
  EXPECT_DOUBLE_EQ(sweep[2].utility, 0.9);
}

TEST(Summary, WithAndWithoutEnergy) {
  Inputs inputs{.prompt_tokens = 100, .output_tokens = 200};
  inputs.ttft_s = 1.0;
  inputs.tokens_per_s = 10.0;
  inputs.device = "Raspberry Pi 5 8 GB, 2.4 GHz";
  const Summary bare = summarise(inputs, default_prices());
  EXPECT_EQ(bare.cost_per_response.error().reason, "no power sensor");
  EXPECT_EQ(*bare.usability, Usability::kComfortable);
  EXPECT_TRUE(bare.hardware_per_million);
  EXPECT_TRUE(bare.utilities.empty());

  inputs.decode_joules_per_token = 1.0;
  inputs.prefill_joules_per_token = 0.1;
  inputs.quality = 0.6;
  const Summary full = summarise(inputs, default_prices());
  EXPECT_DOUBLE_EQ(*full.joules_per_response, 210);
  EXPECT_DOUBLE_EQ(*full.cost_per_response, 210 / 3.6e6 * 0.25);
  EXPECT_DOUBLE_EQ(*full.seconds_per_response, 21);
  EXPECT_DOUBLE_EQ(*full.total_per_million, *full.energy_per_million + *full.hardware_per_million);
  EXPECT_EQ(full.utilities.size(), 5U);
  EXPECT_EQ(full.clouds.size(), default_prices().cloud.size());
  EXPECT_TRUE(full.clouds.front().break_even->tokens);
}

}  // namespace
}  // namespace edgelm::econ
