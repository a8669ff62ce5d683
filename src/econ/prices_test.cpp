// The price list: the shipped one is whole, and every fault is named with its line.

#include "econ/prices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace edgelm::econ {
namespace {

using testing::HasSubstr;

const std::string kHead =
    "currency = \"EUR\"\n"
    "[electricity]\nprice_per_kwh = 0.3\nsource = \"s\"\ndate = 2026-01-02\n"
    "[carbon]\ngrams_per_kwh = 400\nsource = \"s\"\ndate = \"2026-01-02\"\n"
    "[amortisation]\nlifetime_years = 2\nutilisation = 0.5\n";

std::string error_of(const std::string& text) {
  const auto prices = parse_prices(text, "p.toml");
  return prices ? "parsed" : prices.error().message;
}

TEST(Prices, TheShippedListIsWhole) {
  const auto parsed = parse_prices(default_prices_text(), "prices.toml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->currency, "USD");
  EXPECT_GE(parsed->cloud.size(), 5U);
  for (const CloudModel& model : parsed->cloud) {
    EXPECT_FALSE(model.source.empty());
    EXPECT_EQ(model.date.size(), 10U);
  }
  const DevicePrice* device = parsed->find_device("raspberry pi 5 16 GB");
  ASSERT_NE(device, nullptr);
  EXPECT_EQ(device->name, "Raspberry Pi 5 16 GB");
  EXPECT_EQ(parsed->find_device("a toaster"), nullptr);
}

TEST(Prices, DatesOfBothKinds) {
  const auto parsed = parse_prices(kHead, "p.toml");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->electricity_date, "2026-01-02");
  EXPECT_EQ(parsed->carbon_date, "2026-01-02");
  EXPECT_TRUE(parsed->cloud.empty());
}

TEST(Prices, FaultsAreNamedWithTheirLine) {
  EXPECT_THAT(error_of("currency = \n"), HasSubstr("p.toml:1"));
  EXPECT_THAT(error_of("currency = 3\n"),
              HasSubstr("p.toml:1: the file: 'currency' is not a text"));
  EXPECT_THAT(error_of(kHead + "[[cloud]]\nname = \"a\"\n"),
              HasSubstr("[[cloud]] lacks 'provider'"));
  EXPECT_THAT(
      error_of(kHead + "[[cloud]]\nname = \"a\"\nprovider = \"b\"\ninput_per_million = -1\n"),
      HasSubstr("p.toml:16"));
  EXPECT_THAT(error_of(kHead + "[[cloud]]\nnmae = \"a\"\n"), HasSubstr("unknown key 'nmae'"));
  EXPECT_THAT(error_of(kHead + "cloud = 3\n"), HasSubstr("unknown key 'cloud'"));
  EXPECT_THAT(error_of("cloud = 3\n" + kHead), HasSubstr("'cloud' is not tables"));
  EXPECT_THAT(error_of(kHead + "[[device]]\nname = \"a\"\nprice = nan\n"),
              HasSubstr("'price' is not a number"));
}

TEST(Prices, AMissingFile) {
  const auto prices = load_prices("/nonexistent/prices.toml");
  ASSERT_FALSE(prices);
  EXPECT_EQ(prices.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace edgelm::econ
