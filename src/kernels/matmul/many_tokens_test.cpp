// Matmul of a prefill: instruction sets may treat many tokens otherwise than few (dotprod_panel.h),
// in blocks of up to 64, and must still give each token the bits that it gets alone.

#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "support/isa.h"
#include "support/matmul_problem.h"

namespace edgelm::kernels {
namespace {

constexpr std::size_t kRows = 11;    // no multiple of any tile
constexpr std::size_t kTokens = 71;  // more than a block, and a rest of 4 + 2 + 1
constexpr std::size_t kStride = kRows + 2;
constexpr std::size_t kOutputs = (kTokens - 1) * kStride + kRows;

float start(std::size_t index) { return static_cast<float>(index % 97) - 48.5f; }

// All tokens in one call against one call per token.
void check(const Kernels& set, tensor::DType type, std::size_t cols, test::Blocks blocks,
           test::Inputs inputs, bool accumulate) {
  const test::MatmulProblem problem(type, kRows, cols, kTokens, blocks, inputs, cols);
  test::GuardedBuffer<float> together(kOutputs), alone(kOutputs);
  for (std::size_t i = 0; i < kOutputs; ++i) together[i] = alone[i] = start(i);
  MatmulArgs args = problem.args(together, kStride);
  args.accumulate = accumulate;
  set.matmul(type)(args);
  EXPECT_TRUE(together.intact());
  args = problem.args(alone, kStride);
  args.accumulate = accumulate;
  args.n_tokens = 1;
  std::size_t changed = 0;
  for (std::size_t t = 0; t < kTokens; ++t) {
    set.matmul(type)(args);
    args.x.f32 += args.x.f32_stride;
    args.x.q += args.x.q_stride;
    args.x.scale += args.x.scale_stride;
    args.x.scaled_sum += args.x.scale_stride;
    args.out += kStride;
  }
  for (std::size_t i = 0; i < kOutputs; ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(together[i]), std::bit_cast<std::uint32_t>(alone[i]))
        << "row " << i % kStride << ", token " << i / kStride;
    changed += together[i] != start(i) ? 1 : 0;
  }
  if (blocks == test::Blocks::kRandom) {
    EXPECT_GT(changed, kRows * kTokens * 9 / 10);
  }
}

TEST(MatmulOfManyTokens, GivesEachTokenTheBitsItGetsAlone) {
  for (const Kernels* set : test::runnable_kernels()) {
    test::for_each_type([&](tensor::DType type) {
      const std::size_t step = tensor::dtype_info(type).block_elements == 256 ? 256 : 32;
      for (std::size_t n = 1; n <= 9; n = n < 5 ? n + 1 : n + 2) {
        SCOPED_TRACE(std::string(set->name) + " " + std::string(tensor::dtype_info(type).name) +
                     " cols " + std::to_string(n * step));
        check(*set, type, n * step, test::Blocks::kRandom, test::Inputs::kRandom, n % 2 == 0);
      }
    });
  }
}

TEST(MatmulOfManyTokens, ExtremesOfTheTypeToo) {
  for (const Kernels* set : test::runnable_kernels()) {
    test::for_each_type([&](tensor::DType type) {
      SCOPED_TRACE(std::string(set->name) + " " + std::string(tensor::dtype_info(type).name));
      for (const test::Blocks blocks :
           {test::Blocks::kAllBitsSet, test::Blocks::kMostNegative, test::Blocks::kZeroScale}) {
        check(*set, type, 512, blocks, test::Inputs::kAllMax, false);
        check(*set, type, 512, blocks, test::Inputs::kAllMin, false);
      }
    });
  }
}

}  // namespace
}  // namespace edgelm::kernels
