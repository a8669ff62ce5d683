// Packing loses nothing: every value and scale comes back through the specification, panels are no
// larger than the file, and products over them agree with those over the file's own blocks.

#include <gtest/gtest.h>

#include <string>

#include "support/panel_problem.h"

namespace edgelm::kernels {
namespace {

using tensor::DType;
using test::Blocks;
using test::GuardedBuffer;
using test::Inputs;
using test::PanelProblem;

std::size_t step(DType type) { return test::whole_chunks(type) ? 256 : 32; }

// The product with a one in a single column and zeros elsewhere is the value of that column: exact,
// because a scale times a value takes no more than 24 bits.
TEST(PackedPanels, EveryValueComesBack) {
  test::for_each_packed_type([](DType type) {
    SCOPED_TRACE(tensor::dtype_info(type).name);
    constexpr std::size_t kRows = 11;
    const std::size_t cols = test::whole_chunks(type) ? 512 : 288;
    PanelProblem problem(type, kRows, cols, 1, Blocks::kRandom, Inputs::kRandom, 3);
    for (std::size_t column = 0; column < cols; ++column) {
      for (std::size_t i = 0; i < cols; ++i) problem.q[i] = i == column ? 1 : 0;
      for (std::size_t g = 0; g < cols / kGroup; ++g) {
        problem.scale[g] = 1;
        problem.scaled_sum[g] = g == column / kGroup ? 1 : 0;
      }
      GuardedBuffer<float> out(kRows);
      panel_scalar(type)(problem.panel_args(out, kRows));
      for (std::size_t row = 0; row < kRows; ++row)
        ASSERT_EQ(out[row], problem.dequantized[row * cols + column])
            << "row " << row << ", column " << column;
    }
  });
}

TEST(PackedPanels, AgreeWithBlocksOfTheFileAndWithFloat64) {
  test::for_each_packed_type([](DType type) {
    for (const std::size_t n : {1u, 2u, 7u, 9u, 16u}) {
      for (const Inputs inputs : {Inputs::kRandom, Inputs::kAllMax, Inputs::kAllMin}) {
        SCOPED_TRACE(std::string(tensor::dtype_info(type).name) + " cols " +
                     std::to_string(n * step(type)));
        constexpr std::size_t kRows = 13, kTokens = 3;
        const PanelProblem problem(type, kRows, n * step(type), kTokens, Blocks::kRandom, inputs,
                                   n);
        GuardedBuffer<float> packed(kRows * kTokens), native(kRows * kTokens);
        panel_scalar(type)(problem.panel_args(packed, kRows));
        matmul_scalar(type)(problem.args(native, kRows));
        for (std::size_t t = 0; t < kTokens; ++t) {
          for (std::size_t r = 0; r < kRows; ++r) {
            const auto expected = problem.expected(r, t);
            const double tolerance =
                problem.tolerance(expected.magnitude, inputs == Inputs::kRandom);
            ASSERT_NEAR(packed[t * kRows + r], expected.value, tolerance);
            ASSERT_NEAR(packed[t * kRows + r], native[t * kRows + r], 2 * tolerance);
          }
        }
      }
    }
  });
}

TEST(PackedPanels, TakeNoMoreBytesThanTheFile) {
  test::for_each_packed_type([](DType type) {
    const tensor::DTypeInfo& info = tensor::dtype_info(type);
    for (std::size_t cols = step(type); cols <= 40 * step(type); cols += step(type)) {
      const std::size_t file = kPanelRows * cols / info.block_elements * info.block_bytes;
      const std::size_t packed = panel_bytes(type, cols);
      EXPECT_EQ(packed % kPanelAlignment, 0u);
      EXPECT_GE(packed, file);
      EXPECT_LT(packed, file + kPanelAlignment) << info.name << " cols " << cols;
    }
  });
}

// Whatever the memory held before, and in whatever pieces.
TEST(PackedPanels, WriteEveryByteOnce) {
  test::for_each_packed_type([](DType type) {
    SCOPED_TRACE(tensor::dtype_info(type).name);
    for (const std::size_t rows : {1u, 8u, 29u}) {
      const std::size_t cols = test::whole_chunks(type) ? 768 : 416;
      const PanelProblem problem(type, rows, cols, 1, Blocks::kRandom, Inputs::kRandom, rows);
      const std::size_t panels = problem.n_panels, size = problem.bytes_of_panel;
      for (const std::byte before : {std::byte{0}, std::byte{0xff}}) {
        GuardedBuffer<std::byte> out(panels * size, kPanelAlignment);
        for (std::byte& byte : out.span()) byte = before;
        for (std::size_t p = 0; p < panels; p += 2) {
          pack_panels(type, problem.weights.data(), rows, cols, p, std::min(p + 2, panels),
                      out.data());
        }
        ASSERT_TRUE(out.intact());
        for (std::size_t i = 0; i < out.size(); ++i)
          ASSERT_EQ(out[i], problem.packed[i]) << "panel " << i / size << ", byte " << i % size;
      }
    }
  });
}

// The rows that the last panel lacks are zeros: their products are too.
TEST(PackedPanels, RowsBehindTheLastAreZero) {
  test::for_each_packed_type([](DType type) {
    SCOPED_TRACE(tensor::dtype_info(type).name);
    const std::size_t cols = 2 * step(type);
    const PanelProblem problem(type, 3, cols, 1, Blocks::kAllBitsSet, Inputs::kAllMax, 1);
    GuardedBuffer<float> out(kPanelRows);
    PanelArgs args = problem.panel_args(out, kPanelRows);
    args.row_end = kPanelRows;
    panel_scalar(type)(args);
    for (std::size_t row = 0; row < kPanelRows; ++row) EXPECT_EQ(out[row] != 0, row < 3) << row;
  });
}

}  // namespace
}  // namespace edgelm::kernels
