// The tests' own quantizer: its error must be what the bits of a type allow, neither more (a wrong
// layout or rounding) nor less (a measurement that measures nothing).

#include "support/quantize_row.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "base/random.h"

namespace edgelm::test {
namespace {

using tensor::DType;

// Rounding to steps of size s leaves an error of s / sqrt(12). Of a group of standard normal
// values, `span` is the width that the codes must cover, root mean square: twice the largest
// magnitude of 32 (4.8) or 16 (4.3), or the distance of largest and smallest of 32 (4.2).
struct Case {
  DType type;
  double span;
  double steps;
};

class QuantizeRow : public testing::TestWithParam<Case> {};

std::vector<float> normal_values(std::size_t n, std::uint64_t seed) {
  Random draw(seed);
  std::vector<float> values(n);
  for (float& value : values)  // Box and Muller 1958
    value = static_cast<float>(std::sqrt(-2 * std::log(1 - draw.unit())) *
                               std::cos(2 * std::numbers::pi * draw.unit()));
  return values;
}

TEST_P(QuantizeRow, ErrorIsWhatTheBitsAllow) {
  const auto& [type, span, steps] = GetParam();
  const tensor::DTypeInfo& info = tensor::dtype_info(type);
  const std::vector<float> x = normal_values(1 << 16, 1);
  std::vector<std::byte> blocks(x.size() / info.block_elements * info.block_bytes);
  quantize_row(type, x, blocks.data());
  std::vector<float> back(x.size());
  info.dequantize(blocks.data(), x.size(), back.data());
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    squares += (double{back[i]} - double{x[i]}) * (double{back[i]} - double{x[i]});
  const double error = std::sqrt(squares / static_cast<double>(x.size()));
  const double expected = span / steps / std::sqrt(12.0);
  EXPECT_GT(error, 0.9 * expected);
  EXPECT_LT(error, 1.15 * expected);
}

TEST_P(QuantizeRow, ZerosStayZeros) {
  const tensor::DTypeInfo& info = tensor::dtype_info(GetParam().type);
  const std::vector<float> x(512, 0.0F);
  std::vector<std::byte> blocks(x.size() / info.block_elements * info.block_bytes);
  quantize_row(info.type, x, blocks.data());
  std::vector<float> back(x.size(), 1.0F);
  info.dequantize(blocks.data(), x.size(), back.data());
  EXPECT_EQ(back, x);
}

INSTANTIATE_TEST_SUITE_P(, QuantizeRow,
                         testing::Values(Case{DType::kQ4_0, 4.8, 16}, Case{DType::kQ5_0, 4.8, 32},
                                         Case{DType::kQ5_1, 4.2, 31}, Case{DType::kQ8_0, 4.8, 254},
                                         Case{DType::kQ4_K, 4.2, 15}, Case{DType::kQ5_K, 4.2, 31},
                                         Case{DType::kQ6_K, 4.3, 64}),
                         [](const auto& test) {
                           return std::string(tensor::dtype_info(test.param.type).name);
                         });

}  // namespace
}  // namespace edgelm::test
