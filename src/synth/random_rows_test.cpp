// Random blocks: the distribution that was asked for, and the same bytes however they are cut.

#include "synth/random_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/bytes.h"
#include "tensor/types/all.h"

namespace edgelm::synth {
namespace {

using tensor::DType;

template <class Visit, class... Types>
void for_each_type(tensor::TypeList<Types...> /*all*/, Visit visit) {
  (visit(tensor::dtype_info(Types::kType)), ...);
}

std::vector<std::byte> blocks_of(const tensor::DTypeInfo& info, std::uint64_t seed, double rms,
                                 std::uint64_t first, std::uint64_t count) {
  std::vector<std::byte> out(count * info.block_bytes);
  random_blocks(info.type, seed, rms, first, out);
  return out;
}

TEST(RandomBlocks, HaveTheMeanAndSizeThatWasAskedFor) {
  for_each_type(tensor::AllTypes{}, [](const tensor::DTypeInfo& info) {
    constexpr std::size_t kElements = 1 << 18;
    constexpr double kRms = 0.02;
    const auto blocks = blocks_of(info, 7, kRms, 0, kElements / info.block_elements);
    std::vector<float> values(kElements);
    info.dequantize(blocks.data(), kElements, values.data());
    double sum = 0;
    double squares = 0;
    double largest = 0;
    for (const float value : values) {
      ASSERT_TRUE(std::isfinite(value)) << info.name;
      sum += value;
      squares += double{value} * value;
      largest = std::max(largest, std::abs(double{value}));
    }
    EXPECT_NEAR(sum / kElements, 0, kRms * 0.02) << info.name;
    EXPECT_NEAR(std::sqrt(squares / kElements), kRms, kRms * 0.03) << info.name;
    EXPECT_LT(largest, kRms * 6) << info.name;
  });
}

TEST(RandomBlocks, AreTheSameHoweverTheyAreCut) {
  for_each_type(tensor::AllTypes{}, [](const tensor::DTypeInfo& info) {
    const auto whole = blocks_of(info, 3, 0.02, 0, 64);
    for (const std::uint64_t cut : {1UL, 2UL, 5UL, 31UL, 63UL}) {
      auto joined = blocks_of(info, 3, 0.02, 0, cut);
      const auto rest = blocks_of(info, 3, 0.02, cut, 64 - cut);
      joined.insert(joined.end(), rest.begin(), rest.end());
      EXPECT_EQ(joined, whole) << info.name << " cut at " << cut;
    }
    EXPECT_NE(blocks_of(info, 4, 0.02, 0, 64), whole) << info.name << ": the seed is ignored";
    EXPECT_NE(blocks_of(info, 3, 0.02, 64, 64), whole) << info.name << ": blocks repeat";
  });
}

TEST(RandomBlocks, HoldNoCodeThatAQuantizerNeverWrites) {
  const auto blocks = blocks_of(tensor::dtype_info(DType::kQ8_0), 1, 0.02, 0, 4096);
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    if (at % 34 < 2) continue;  // the scale
    ASSERT_NE(blocks[at], std::byte{0x80});
  }
}

TEST(RandomFloats, LieAroundTheirMean) {
  std::vector<std::byte> out(4096 * sizeof(float));
  random_floats(1, 1, 0.1, out);
  double sum = 0;
  for (std::size_t at = 0; at < out.size(); at += sizeof(float)) {
    const auto value = load_le<float>(out.data() + at);
    EXPECT_GT(value, 0.3);
    EXPECT_LT(value, 1.7);
    sum += value;
  }
  EXPECT_NEAR(sum / 4096, 1, 0.01);
}

}  // namespace
}  // namespace edgelm::synth
