// Contract test of matmul: every tensor type on every instruction set this processor can run.

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>
#include <tuple>

#include "support/isa.h"
#include "support/matmul_problem.h"

namespace edgelm::kernels {
namespace {

using tensor::DType;
using test::Blocks;
using test::GuardedBuffer;
using test::Inputs;
using test::MatmulProblem;

template <class Visit>  // visit(set, type)
void for_each_kernel(Visit visit) {
  for (const Kernels* set : test::runnable_kernels()) {
    test::for_each_type([&](DType type) {
      SCOPED_TRACE(std::string(set->name) + " " + std::string(tensor::dtype_info(type).name));
      ASSERT_NE(set->matmul(type), nullptr);
      visit(*set, type);
    });
  }
}

void check(const Kernels& set, DType type, std::size_t rows, std::size_t cols, std::size_t tokens,
           Blocks blocks = Blocks::kRandom, Inputs inputs = Inputs::kRandom) {
  if (cols % tensor::dtype_info(type).block_elements != 0) return;
  const std::uint64_t seed = rows * 1000003 + cols * 101 + tokens;
  SCOPED_TRACE(std::to_string(rows) + "x" + std::to_string(cols) + ", tokens " +
               std::to_string(tokens) + ", " + std::string(test::name_of(blocks)) + ", seed " +
               std::to_string(seed));
  const MatmulProblem problem(type, rows, cols, tokens, blocks, inputs, seed);
  GuardedBuffer<float> out(rows * tokens);
  set.matmul(type)(problem.args(out, rows));
  ASSERT_TRUE(out.intact());
  const bool random = blocks == Blocks::kRandom && inputs == Inputs::kRandom;
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t r = 0; r < rows; ++r) {
      const MatmulProblem::Expected expected = problem.expected(r, t);
      const double tolerance = problem.tolerance(expected.magnitude, random);
      ASSERT_NEAR(out[t * rows + r], expected.value, tolerance) << "row " << r << ", token " << t;
    }
  }
}

TEST(Matmul, AgreesWithFloat64AtEveryTile) {
  for_each_kernel([](const Kernels& set, DType type) {
    for (std::size_t rows = 1; rows <= 9; ++rows) {
      for (std::size_t tokens = 1; tokens <= 9; ++tokens) {
        check(set, type, rows, tensor::dtype_info(type).block_elements == 256 ? 256 : 96, tokens);
      }
    }
  });
}

TEST(Matmul, AgreesWithFloat64AtEveryWidth) {
  for_each_kernel([](const Kernels& set, DType type) {
    if (!tensor::dtype_info(type).quantized) {
      for (std::size_t cols = 1; cols <= 40; ++cols) check(set, type, 5, cols, 3);
    }
    for (std::size_t cols = 32; cols <= 544; cols += 32) check(set, type, 5, cols, 3);
    for (const std::size_t cols : {576u, 768u, 896u, 1536u, 2048u, 4864u})
      check(set, type, 5, cols, 3);
    check(set, type, 16, 512, 16);  // ends of all inputs touch their guard pages
  });
}

TEST(Matmul, ExtremesOfTheTypeDoNotSaturate) {
  for_each_kernel([](const Kernels& set, DType type) {
    for (const Blocks blocks : {Blocks::kAllBitsSet, Blocks::kMostNegative, Blocks::kZeroScale}) {
      for (const Inputs inputs : {Inputs::kAllMax, Inputs::kAllMin, Inputs::kRandom}) {
        for (const std::size_t tokens : {1u, 4u}) {
          check(set, type, 4, 512, tokens, blocks, inputs);
          check(set, type, 4, 96, tokens, blocks, inputs);
        }
      }
    }
    for (const Inputs inputs : {Inputs::kAllMax, Inputs::kAllMin}) {
      check(set, type, 4, 512, 4, Blocks::kRandom, inputs);
    }
  });
}

// The same bits whatever rows and tokens are computed together.
TEST(Matmul, SplitsGiveTheSameBits) {
  for_each_kernel([](const Kernels& set, DType type) {
    constexpr std::size_t kRows = 13;
    constexpr std::size_t kTokens = 9;
    const std::size_t cols = tensor::dtype_info(type).block_elements == 256 ? 768 : 352;
    const MatmulProblem problem(type, kRows, cols, kTokens, Blocks::kRandom, Inputs::kRandom, 5);
    GuardedBuffer<float> whole(kRows * kTokens);
    GuardedBuffer<float> part(kRows * kTokens);
    set.matmul(type)(problem.args(whole, kRows));
    std::set<float> distinct(whole.data(), whole.data() + whole.size());
    EXPECT_GT(distinct.size(), kRows * kTokens - 3);
    for (std::size_t n_rows = 1; n_rows <= kRows; ++n_rows) {
      for (std::size_t n_tokens = 1; n_tokens <= kTokens; ++n_tokens) {
        MatmulArgs args = problem.args(part, kRows);
        args.row_begin = (kRows - n_rows) / 2;
        args.row_end = args.row_begin + n_rows;
        const std::size_t token = (kTokens - n_tokens) / 2;
        args.n_tokens = n_tokens;
        args.x.f32 += token * cols;
        args.x.q += token * cols;
        args.x.scale += token * args.x.scale_stride;
        args.x.scaled_sum += token * args.x.scale_stride;
        for (float& value : part.span()) value = -77;
        set.matmul(type)(args);
        for (std::size_t i = 0; i < kRows * kTokens; ++i) {
          const std::size_t r = i % kRows, t = i / kRows;
          const bool inside = r >= args.row_begin && r < args.row_end && t < n_tokens;
          const float expected = inside ? whole[(token + t) * kRows + r] : -77;
          ASSERT_EQ(std::bit_cast<std::uint32_t>(part[i]), std::bit_cast<std::uint32_t>(expected))
              << n_rows << " rows, " << n_tokens << " tokens, row " << r << ", token " << t;
        }
      }
    }
  });
}

TEST(Matmul, AccumulatesIntoAStridedOutput) {
  for_each_kernel([](const Kernels& set, DType type) {
    const MatmulProblem problem(type, 5, 256, 3, Blocks::kRandom, Inputs::kRandom, 6);
    GuardedBuffer<float> plain(2 * 8 + 5);
    GuardedBuffer<float> sums(2 * 8 + 5);
    for (std::size_t i = 0; i < sums.size(); ++i) plain[i] = sums[i] = static_cast<float>(i) + 0.1f;
    const GuardedBuffer<float>& before = sums;
    std::vector<float> base(before.data(), before.data() + before.size());
    set.matmul(type)(problem.args(plain, 8));
    MatmulArgs args = problem.args(sums, 8);
    args.accumulate = true;
    set.matmul(type)(args);
    EXPECT_TRUE(plain.intact() && sums.intact());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (i % 8 < 5) {
        EXPECT_EQ(sums[i], base[i] + plain[i]) << i;
      } else {
        EXPECT_EQ(sums[i], base[i]) << i;
        EXPECT_EQ(plain[i], base[i]) << i;
      }
    }
  });
}

TEST(Matmul, NothingToDo) {
  for_each_kernel([](const Kernels& set, DType type) {
    const MatmulProblem problem(type, 2, 256, 1, Blocks::kRandom, Inputs::kRandom, 7);
    GuardedBuffer<float> out(2);
    out[0] = out[1] = -77;
    MatmulArgs args = problem.args(out, 2);
    args.n_tokens = 0;
    set.matmul(type)(args);
    args.n_tokens = 1;
    args.row_begin = args.row_end = 1;
    set.matmul(type)(args);
    EXPECT_EQ(out[0], -77);
    EXPECT_EQ(out[1], -77);
  });
}

}  // namespace
}  // namespace edgelm::kernels
