#pragma once
// A matmul with everything that its contract test needs: inputs and output against guard pages, and
// the same product in float64 with a bound of the rounding error that float32 may make.

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/matmul/matmul.h"
#include "support/guarded_buffer.h"
#include "support/random_blocks.h"
#include "tensor/dtype.h"

namespace edgelm::test {

enum class Inputs { kRandom, kAllMax, kAllMin };  // int8 activations: random, 127 or -127

struct MatmulProblem {
  MatmulProblem(tensor::DType type, std::size_t n_rows, std::size_t n_cols, std::size_t n_tokens,
                Blocks blocks, Inputs inputs, std::uint64_t seed)
      : info(tensor::dtype_info(type)),
        rows(n_rows),
        cols(n_cols),
        tokens(n_tokens),
        row_bytes(cols / info.block_elements * info.block_bytes),
        weights(rows * row_bytes),
        f32(tokens * cols),
        q(tokens * cols),
        scale(tokens * (cols / kernels::kGroup)),
        scaled_sum(tokens * (cols / kernels::kGroup)),
        dequantized(rows * cols) {
    Random random(seed);
    fill_blocks(type, rows * cols, blocks, random, weights.data());
    info.dequantize(weights.data(), rows * cols, dequantized.data());
    for (std::size_t i = 0; i < tokens * cols; ++i) {
      const int value = static_cast<int>(random.below(255)) - 127;
      q[i] = static_cast<std::int8_t>(inputs == Inputs::kRandom   ? value
                                      : inputs == Inputs::kAllMax ? 127
                                                                  : -127);
      f32[i] = inputs == Inputs::kRandom ? random.uniform(-3, 3) : static_cast<float>(q[i]);
    }
    for (std::size_t i = 0; i < scale.size(); ++i) {
      int sum = 0;
      for (std::size_t j = 0; j < kernels::kGroup; ++j) sum += q[i * kernels::kGroup + j];
      scale[i] = random.uniform(0.001f, 0.02f);
      scaled_sum[i] = scale[i] * static_cast<float>(sum);
    }
  }

  [[nodiscard]] kernels::MatmulArgs args(GuardedBuffer<float>& out, std::size_t out_stride) const {
    kernels::MatmulArgs args;
    args.weights = weights.data();
    args.row_bytes = row_bytes;
    args.cols = cols;
    args.row_end = rows;
    args.x = {
        f32.data(), cols, q.data(), cols, scale.data(), scaled_sum.data(), cols / kernels::kGroup};
    args.n_tokens = tokens;
    args.out = out.data();
    args.out_stride = out_stride;
    return args;
  }

  struct Expected {
    double value = 0;
    double magnitude = 0;  // sum of the absolute values of everything that is added
  };

  // In float64 over the dequantized weights and the activations as the kernel sees them. Kernels
  // may add an offset (minimum, or a bias of up to 16 steps) apart from its products: `magnitude`
  // counts it.
  [[nodiscard]] Expected expected(std::size_t row, std::size_t token) const {
    Expected sum;
    for (std::size_t c = 0; c < cols; ++c) {
      const double weight = dequantized[row * cols + c];
      const std::size_t at = token * cols + c;
      if (!info.quantized) {
        sum.value += weight * f32[at];
        sum.magnitude += std::fabs(weight * f32[at]);
        continue;
      }
      const double x = static_cast<double>(scale[at / kernels::kGroup]) * q[at];
      sum.value += weight * x;
      sum.magnitude += (std::fabs(weight) + bias(row, c)) * std::fabs(x);
    }
    return sum;
  }

  // Every one of n sequential float additions and its multiplications may be off by half an ulp of
  // the magnitude; for random signs these errors grow as the square root.
  [[nodiscard]] double tolerance(double magnitude, bool random) const {
    const double n = static_cast<double>(info.quantized ? 2 * cols / kernels::kGroup : 2 * cols);
    return magnitude * 0x1p-24 * ((random ? 4 * std::sqrt(n) : n) + 12);
  }

  const tensor::DTypeInfo& info;
  std::size_t rows, cols, tokens, row_bytes;
  GuardedBuffer<std::byte> weights;
  GuardedBuffer<float> f32;
  GuardedBuffer<std::int8_t> q;
  GuardedBuffer<float> scale, scaled_sum;
  std::vector<float> dequantized;

 private:
  // A bound, in the blocks of these tests, of what kernels add and subtract beside the weight
  // itself: with |value| <= largest over a group that spans its range, a step times the range is at
  // most 2 * largest and a minimum at most 3 * largest.
  [[nodiscard]] double bias(std::size_t row, std::size_t col) const {
    const float* group = dequantized.data() + row * cols + col / kernels::kGroup * kernels::kGroup;
    double largest = 0;
    for (std::size_t j = 0; j < kernels::kGroup; ++j) {
      largest = std::max(largest, static_cast<double>(std::fabs(group[j])));
    }
    return 5 * largest;
  }
};

}  // namespace edgelm::test
