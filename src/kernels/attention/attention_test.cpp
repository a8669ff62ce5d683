// Contract test of attention: every instruction set against a float64 reference, within bounds
// computed from the data, and bit for bit against itself over other block sizes and head counts.

#include "kernels/attention/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "base/half.h"
#include "base/random.h"
#include "support/guarded_buffer.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

struct Dims {
  std::size_t n_heads, k_dim, v_dim, n_positions;
};

// Keys, values and queries of one case, independent of how they are stored.
struct Data {
  Dims dims;
  std::vector<float> q;
  std::vector<std::uint16_t> k, v;
  float scale;

  Data(const Dims& d, float q_size, float v_size)
      : dims(d),
        q(d.n_heads * d.k_dim),
        k(d.n_positions * d.k_dim),
        v(d.n_positions * d.v_dim),
        scale(1 / std::sqrt(static_cast<float>(d.k_dim))) {
    Random random(d.k_dim * 1000003 + d.n_positions);
    for (float& value : q) value = q_size * random.uniform(-1, 1);
    for (std::uint16_t& value : k) value = float_to_half(random.uniform(-1, 1));
    for (std::uint16_t& value : v) value = float_to_half(v_size * random.uniform(-1, 1));
  }
};

// Runs the kernel over blocks of block_tokens. Rows of the last block behind n_positions are NaN
// (keys) or missing (values: the guard page follows), so that touching them shows.
std::vector<float> run(const Kernels& set, const Data& data, std::size_t block_tokens,
                       std::size_t first_head, std::size_t n_heads) {
  const auto& [all_heads, k_dim, v_dim, n_positions] = data.dims;
  const std::size_t n_blocks = (n_positions + block_tokens - 1) / block_tokens;
  constexpr std::size_t kOffset = 3;  // also leaves every row unaligned
  const std::size_t v_offset = kOffset + block_tokens * k_dim;
  std::deque<test::GuardedBuffer<std::uint16_t>> blocks;
  std::vector<const std::uint16_t*> bases;
  for (std::size_t b = 0; b < n_blocks; ++b) {
    const std::size_t first = b * block_tokens;
    const std::size_t used = std::min(block_tokens, n_positions - first);
    auto& block = blocks.emplace_back(v_offset + used * v_dim);
    for (std::uint16_t& half : block.span()) half = 0x7e00;  // NaN
    std::memcpy(block.data() + kOffset, data.k.data() + first * k_dim, used * k_dim * 2);
    std::memcpy(block.data() + v_offset, data.v.data() + first * v_dim, used * v_dim * 2);
    bases.push_back(block.data());
  }
  const std::size_t stride = (n_positions + 15) / 16 * 16;
  test::GuardedBuffer<float> q(n_heads * k_dim), scores(n_heads * stride), out(n_heads * v_dim);
  std::memcpy(q.data(), data.q.data() + first_head * k_dim, n_heads * k_dim * sizeof(float));
  AttentionArgs args;
  args.q = q.data();
  args.n_heads = n_heads;
  args.k_dim = k_dim;
  args.v_dim = v_dim;
  args.blocks = bases.data();
  args.k_offset = kOffset;
  args.v_offset = v_offset;
  args.block_tokens = block_tokens;
  args.n_positions = n_positions;
  args.scale = data.scale;
  args.scores = scores.data();
  args.score_stride = stride;
  args.out = out.data();
  set.attention(args);
  EXPECT_TRUE(out.intact() && scores.intact());
  return {out.data(), out.data() + out.size()};
}

// Float64 attention of one head, and how far float32 may stray from it. With u = 2^-24, a chain of
// n roundings errs by at most n u times the sum of magnitudes (Higham 2002, section 3.1). Scores: a
// chain of k_dim / 4 (four lanes) and a few. An error of s in the scores changes softmax weights by
// at most exp(2 s) - 1. The sum of weights is a chain of n / 4, values one of 64 + n / 64.
void reference(const Data& data, std::size_t head, std::vector<double>& out,
               std::vector<double>& tolerance) {
  const auto& [n_heads, k_dim, v_dim, n] = data.dims;
  constexpr double kUnit = 0x1p-24;
  std::vector<double> weight(n);
  double max = -INFINITY, score_error = 0;
  for (std::size_t p = 0; p < n; ++p) {
    double dot = 0, magnitude = 0;
    for (std::size_t d = 0; d < k_dim; ++d) {
      const double term =
          static_cast<double>(data.q[head * k_dim + d]) * half_to_float(data.k[p * k_dim + d]);
      dot += term;
      magnitude += std::fabs(term);
    }
    weight[p] = dot * data.scale;
    max = std::max(max, weight[p]);
    const double chain = static_cast<double>(k_dim) / 4 + 8;
    score_error = std::max(score_error, chain * kUnit * magnitude * std::fabs(data.scale));
  }
  double sum = 0;
  for (double& w : weight) sum += w = std::exp(w - max);
  const double n_double = static_cast<double>(n);
  const double relative =
      std::expm1(2 * score_error) + (n_double / 4 + 64 + n_double / 64 + 16) * kUnit;
  out.assign(v_dim, 0);
  tolerance.assign(v_dim, 0x1p-140);
  for (std::size_t p = 0; p < n; ++p) {
    for (std::size_t d = 0; d < v_dim; ++d) {
      const double term = weight[p] / sum * half_to_float(data.v[p * v_dim + d]);
      out[d] += term;
      tolerance[d] += relative * std::fabs(term);
    }
  }
}

void expect_close(const Data& data, const std::vector<float>& got) {
  std::vector<double> expected, tolerance;
  double largest = 0, loosest = 0;
  for (std::size_t head = 0; head < data.dims.n_heads; ++head) {
    reference(data, head, expected, tolerance);
    for (std::size_t d = 0; d < data.dims.v_dim; ++d) {
      ASSERT_NEAR(got[head * data.dims.v_dim + d], expected[d], tolerance[d])
          << "head " << head << " element " << d;
      largest = std::max(largest, std::fabs(expected[d]));
      loosest = std::max(loosest, tolerance[d]);
    }
  }
  EXPECT_LT(loosest, 0.02 * largest) << "a bound this loose proves nothing";
}

std::string describe(const Kernels& set, const Dims& d, std::size_t block_tokens) {
  return std::string(set.name) + " heads " + std::to_string(d.n_heads) + " k_dim " +
         std::to_string(d.k_dim) + " v_dim " + std::to_string(d.v_dim) + " positions " +
         std::to_string(d.n_positions) + " block " + std::to_string(block_tokens);
}

void check(const Dims& dims, std::size_t block_tokens, float q_size, float v_size) {
  const Data data(dims, q_size, v_size);
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(describe(*set, dims, block_tokens));
    expect_close(data, run(*set, data, block_tokens, 0, dims.n_heads));
  }
}

TEST(Attention, EveryNumberOfPositions) {
  for (const std::size_t n : {1u,  2u,  3u,  4u,  5u,  7u,  8u,  9u,   15u,  16u,
                              17u, 31u, 32u, 33u, 63u, 64u, 65u, 127u, 129u, 515u})
    for (const std::size_t block_tokens : {1u, 7u, 16u, 64u})
      check({3, 64, 64, n}, block_tokens, 2, 1);
}

TEST(Attention, EveryHeadDim) {
  for (std::size_t dim = 4; dim <= 72; dim += 4) {
    check({5, dim, 64, 19}, 8, 2, 1);
    check({5, 64, dim, 19}, 8, 2, 1);
  }
  for (const std::size_t dim : {80u, 96u, 128u, 192u, 256u, 508u, 512u})
    check({4, dim, dim, 70}, 32, 2, 1);
}

TEST(Attention, EveryGroupSize) {
  for (std::size_t n_heads = 1; n_heads <= 17; ++n_heads) check({n_heads, 64, 96, 41}, 16, 2, 1);
}

TEST(Attention, LongContext) { check({4, 64, 64, 4096}, 32, 1, 1); }

TEST(Attention, ExtremesOfTheType) {
  check({2, 64, 64, 40}, 16, 0, 1);         // all scores equal
  check({2, 64, 64, 40}, 16, 1e-42f, 1);    // denormal queries
  check({2, 64, 64, 40}, 16, 400, 1);       // nearly one-hot
  check({2, 64, 64, 40}, 16, 2, 65504);     // largest halves
  check({2, 64, 64, 40}, 16, 2, 0x1p-15f);  // denormal halves
}

TEST(Attention, HugeScoresPickOneRowExactly) {
  Data data({2, 64, 64, 40}, 0, 1);
  for (std::size_t h = 0; h < 2; ++h) data.q[h * 64 + 5] = 1e30f;
  for (std::size_t p = 0; p < 40; ++p) data.k[p * 64 + 5] = float_to_half(p == 23 ? 1.0f : -1.0f);
  for (const Kernels* set : test::runnable_kernels()) {
    const std::vector<float> out = run(*set, data, 16, 0, 2);
    for (std::size_t d = 0; d < 64; ++d)
      EXPECT_EQ(out[64 + d], half_to_float(data.v[23 * 64 + d])) << set->name;
  }
}

TEST(Attention, NaNInOneKeyReachesTheOutput) {
  for (const std::size_t position : {0u, 17u, 39u}) {
    Data data({2, 64, 64, 40}, 1, 1);
    data.k[position * 64 + 9] = 0x7e00;
    for (const Kernels* set : test::runnable_kernels())
      for (const float value : run(*set, data, 16, 0, 2))
        ASSERT_TRUE(std::isnan(value)) << set->name;
  }
}

TEST(Attention, SameBitsForAnyBlockSizeAndHeadGrouping) {
  for (const std::size_t dim : {64u, 76u}) {
    const Data data({8, dim, dim, 203}, 2, 1);
    for (const Kernels* set : test::runnable_kernels()) {
      SCOPED_TRACE(set->name);
      const std::vector<float> whole = run(*set, data, 16, 0, 8);
      for (const std::size_t block_tokens : {1u, 5u, 64u, 256u})
        EXPECT_EQ(run(*set, data, block_tokens, 0, 8), whole) << block_tokens;
      for (std::size_t n_heads = 1; n_heads < 8; ++n_heads) {
        const std::vector<float> part = run(*set, data, 16, 1, n_heads);
        EXPECT_EQ(0, std::memcmp(part.data(), whole.data() + dim, part.size() * sizeof(float)))
            << n_heads << " heads";
      }
    }
  }
}

}  // namespace
}  // namespace edgelm::kernels
