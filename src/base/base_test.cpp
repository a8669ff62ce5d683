// The helpers everything stands on: half floats against every 16-bit pattern, checked arithmetic,
// bounded reads, counted randomness.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/counted.h"
#include "base/half.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/result.h"

namespace edgelm {
namespace {

TEST(Half, EveryPatternSurvivesARoundTrip) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
    } else {
      ASSERT_EQ(float_to_half(value), half) << bits;
    }
  }
}

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(float_to_half(1.0F + 0x1p-11F), 0x3c00);             // tie, even below
  EXPECT_EQ(float_to_half(1.0F + 3 * 0x1p-11F), 0x3c02);         // tie, even above
  EXPECT_EQ(float_to_half(1.0F + 0x1p-11F + 0x1p-20F), 0x3c01);  // just above the tie
  EXPECT_EQ(float_to_half(65519.0F), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0F), 0x7c00);
  EXPECT_EQ(float_to_half(0x1p-25F), 0x0000);  // tie to even zero
  EXPECT_EQ(float_to_half(-0x1.8p-25F), 0x8001);
  EXPECT_EQ(float_to_half(std::numeric_limits<float>::infinity()), 0x7c00);
}

TEST(Bfloat, RoundsToNearestEvenAndKeepsNan) {
  EXPECT_EQ(float_to_bfloat(1.0F), 0x3f80);
  EXPECT_EQ(float_to_bfloat(1.0F + 0x1p-8F), 0x3f80);
  EXPECT_EQ(float_to_bfloat(1.0F + 3 * 0x1p-8F), 0x3f82);
  EXPECT_TRUE(std::isnan(bfloat_to_float(float_to_bfloat(std::nanf("")))));
}

TEST(Checked, FindsOverflow) {
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(checked_mul(kMax / 2, 2), kMax - 1);
  EXPECT_EQ(checked_mul(kMax / 2 + 1, 2), std::nullopt);
  EXPECT_EQ(checked_add(kMax, 1), std::nullopt);
  EXPECT_EQ(checked_align_up(33, 32), 64U);
  EXPECT_EQ(checked_align_up(kMax, 32), std::nullopt);
}

TEST(Counted, OneHasNoPlural) {
  EXPECT_EQ(counted(0, "record"), "0 records");
  EXPECT_EQ(counted(1U, "record"), "1 record");
  EXPECT_EQ(counted(std::uint64_t{12}, "record"), "12 records");
  EXPECT_EQ(counted(1, "query", "queries"), "1 query");
  EXPECT_EQ(counted(2, "query", "queries"), "2 queries");
}

TEST(ByteReader, StopsAtTheEnd) {
  const char raw[] = {1, 2, 3, 4, 5};
  ByteReader reader(as_byte_span({raw, sizeof raw}));
  EXPECT_EQ(reader.read<std::uint32_t>(), 0x04030201U);
  EXPECT_EQ(reader.read<std::uint16_t>(), std::nullopt);
  EXPECT_EQ(reader.remaining(), 1U);
  EXPECT_FALSE(reader.take(2));
  EXPECT_FALSE(reader.take(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(reader.take(1)->size(), 1U);
}

TEST(Random, IsAFunctionOfSeedAndIndex) {
  EXPECT_EQ(random_bits(1, 2), random_bits(1, 2));
  EXPECT_NE(random_bits(1, 2), random_bits(1, 3));
  EXPECT_NE(random_bits(1, 2), random_bits(2, 2));
  double sum = 0;
  for (std::uint64_t i = 0; i < 10000; ++i) {
    const double u = random_unit(7, i);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 10000, 0.5, 0.01);
}

TEST(Hash, IsXxh3AndTheSameInPieces) {
  EXPECT_EQ(hash64({}), 0x2d06800538d394c2U);  // XXH3_64bits of nothing: xxHash's own test vector
  std::string text;
  for (int i = 0; i < 3000; ++i) text += static_cast<char>(i * 7);
  Hash64 pieces;
  pieces.update(as_byte_span(text).first(1));
  pieces.update(as_byte_span(text).subspan(1, 1500));
  pieces.update(as_byte_span(text).subspan(1501));
  EXPECT_EQ(pieces.digest(), hash64(as_byte_span(text)));
  text[1700] ^= 1;
  EXPECT_NE(pieces.digest(), hash64(as_byte_span(text)));
}

Status fails() { return fail(ErrorCode::kIo, "{} failed", "it"); }
Result<int> chain() {
  EDGELM_TRY(fails());
  return 1;
}

TEST(Result, TryPassesTheErrorOn) {
  const Result<int> result = chain();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kIo);
  EXPECT_EQ(result.error().message, "it failed");
}

}  // namespace
}  // namespace edgelm
