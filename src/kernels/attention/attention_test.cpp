// Contract test of attention: every instruction set and cache type against a float64 reference,
// within bounds computed from the data, and bit for bit against itself over other block sizes, rows
// and batches. Layouts are written here element by element, independently of store.cpp.

#include "kernels/attention/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "support/attention_fixture.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

// Float64 attention of one row, and how far float32 may stray from it. With u = 2^-24, a chain of n
// roundings errs by at most n u times the sum of magnitudes (Higham 2002, section 3.1). Scores: a
// chain of k_dim and a few. An error of s in the scores changes softmax weights by at most exp(2 s)
// - 1. Sums and values are chains of at most one term per position, and four roundings per tile.
void reference(const AttentionData& data, std::size_t row, std::size_t n, std::vector<double>& out,
               std::vector<double>& tolerance) {
  const std::size_t k_dim = data.dims.k_dim;
  const std::size_t v_dim = data.dims.v_dim;
  constexpr double kUnit = 0x1p-24;
  std::vector<double> weight(n);
  double max = -INFINITY, score_error = 0;
  for (std::size_t p = 0; p < n; ++p) {
    double dot = 0, magnitude = 0;
    for (std::size_t d = 0; d < k_dim; ++d) {
      const double term =
          static_cast<double>(data.q[row * k_dim + d]) * static_cast<double>(data.key(p, d));
      dot += term;
      magnitude += std::fabs(term);
    }
    weight[p] = dot;
    max = std::max(max, weight[p]);
    score_error = std::max(score_error, (static_cast<double>(k_dim) + 8) * kUnit * magnitude);
  }
  double sum = 0;
  for (double& w : weight) sum += w = std::exp(w - max);
  const double n_double = static_cast<double>(n);
  const double relative =
      std::expm1(2 * score_error) + (n_double + 4 * n_double / kAttentionTile + 24) * kUnit;
  out.assign(v_dim, 0);
  tolerance.assign(v_dim, 0x1p-140);
  for (std::size_t p = 0; p < n; ++p) {
    for (std::size_t d = 0; d < v_dim; ++d) {
      const double term = weight[p] / sum * static_cast<double>(data.value(p, d));
      out[d] += term;
      tolerance[d] += relative * std::fabs(term);
    }
  }
}

void expect_close(const AttentionData& data, const std::vector<float>& got) {
  const AttentionDims& dims = data.dims;
  std::vector<double> expected, tolerance;
  double largest = 0, loosest = 0;
  for (std::size_t row = 0; row < dims.n_tokens * dims.group; ++row) {
    reference(data, row, data.visible(row), expected, tolerance);
    for (std::size_t d = 0; d < dims.v_dim; ++d) {
      ASSERT_NEAR(got[row * dims.v_dim + d], expected[d], tolerance[d])
          << "row " << row << " element " << d;
      largest = std::max(largest, std::fabs(expected[d]));
      loosest = std::max(loosest, tolerance[d]);
    }
  }
  EXPECT_LT(loosest, 0.02 * largest) << "a bound this loose proves nothing";
}

std::string describe(const Kernels& set, const AttentionDims& d, std::size_t block_tokens) {
  return fmt::format("{} {} group {} k_dim {} v_dim {} positions {} tokens {} block {}", set.name,
                     d.q8_0 ? "q8_0" : "f16", d.group, d.k_dim, d.v_dim, d.n_positions, d.n_tokens,
                     block_tokens);
}

void check(const AttentionDims& dims, std::size_t block_tokens, float q_size = 2,
           float v_size = 1) {
  const AttentionData data(dims, q_size, v_size);
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(describe(*set, dims, block_tokens));
    expect_close(data, data.run(*set, block_tokens, 0, dims.n_tokens));
  }
}

// Every case for both cache types where the dims allow.
void check_both(AttentionDims dims, std::size_t block_tokens, float q_size = 2, float v_size = 1) {
  check(dims, block_tokens, q_size, v_size);
  if (dims.k_dim % 32 != 0 || dims.v_dim % 32 != 0) return;
  dims.q8_0 = true;
  check(dims, block_tokens, q_size, v_size);
}

TEST(Attention, EveryNumberOfPositions) {
  for (const std::size_t n : {1u,  2u,  3u,  7u,  8u,  9u,  15u,  16u,  17u,  31u,  32u, 33u,
                              63u, 64u, 65u, 71u, 72u, 73u, 127u, 129u, 511u, 512u, 513u})
    for (const std::size_t block_tokens : {1u, 7u, 8u, 24u, 32u, 64u, 128u})
      check_both({3, 64, 32, n, 1}, block_tokens);
}

TEST(Attention, EveryHeadDim) {
  for (std::size_t dim = 4; dim <= 72; dim += 4) {
    check_both({5, dim, 64, 19, 1}, 8);
    check_both({5, 64, dim, 19, 1}, 8);
  }
  for (const std::size_t dim : {80u, 96u, 128u, 192u, 256u, 508u, 512u})
    check_both({4, dim, dim, 70, 2}, 32);
}

TEST(Attention, EveryNumberOfRows) {
  for (std::size_t group = 1; group <= 17; ++group) {
    check_both({group, 64, 96, 41, 1}, 16);
    check_both({group, 32, 32, 90, 5}, 32);
  }
}

TEST(Attention, QueriesOfManyTokensSeeTheirOwnPositions) {
  for (const std::size_t n_tokens : {2u, 3u, 17u, 40u, 64u, 130u})
    for (const std::size_t group : {1u, 2u, 3u, 8u})
      check_both({group, 32, 32, n_tokens + 57, n_tokens}, 32);
  check_both({2, 64, 64, 600, 600}, 32);  // from the first position, over a span
}

TEST(Attention, LongContext) { check_both({4, 64, 64, 4096, 1}, 32, 1); }

TEST(Attention, ExtremesOfTheType) {
  check({2, 64, 64, 40, 1}, 16, 0, 1);         // all scores equal
  check({2, 64, 64, 40, 1}, 16, 1e-42f, 1);    // denormal queries
  check({2, 64, 64, 40, 1}, 16, 400, 1);       // nearly one-hot
  check({2, 64, 64, 40, 1}, 16, 2, 65504);     // largest halves
  check({2, 64, 64, 40, 1}, 16, 2, 0x1p-15f);  // denormal halves
}

TEST(Attention, HugeScoresPickOneRowExactly) {
  for (const std::size_t picked : {23u, 550u}) {  // the first span and the second
    AttentionData data({2, 64, 64, 700, 1}, 0, 1);
    for (std::size_t row = 0; row < 2; ++row) data.q[row * 64 + 5] = 1e30f;
    for (std::size_t p = 0; p < 700; ++p)
      data.k[p * 64 + 5] = float_to_half(p == picked ? 1.0f : -1.0f);
    for (const Kernels* set : test::runnable_kernels()) {
      const std::vector<float> out = data.run(*set, 16, 0, 1);
      for (std::size_t d = 0; d < 64; ++d)
        EXPECT_EQ(out[64 + d], data.value(picked, d)) << set->name;
    }
  }
}

// Infinitely low scores weigh nothing, also where a whole tile or span has no other.
TEST(Attention, MinusInfinityIsNoNaN) {
  AttentionData data({2, 64, 64, 700, 1}, 0, 1);
  for (std::size_t row = 0; row < 2; ++row) data.q[row * 64 + 5] = 3e38f;
  for (std::size_t p = 0; p < 700; ++p) data.k[p * 64 + 5] = float_to_half(p == 690 ? 0 : -2.0f);
  for (const Kernels* set : test::runnable_kernels()) {
    const std::vector<float> out = data.run(*set, 32, 0, 1);
    for (std::size_t d = 0; d < 64; ++d) EXPECT_EQ(out[d], data.value(690, d)) << set->name;
  }
}

TEST(Attention, NaNReachesTheRowsThatSeeIt) {
  for (const bool q8_0 : {false, true}) {
    for (const std::size_t position : {0u, 300u, 511u, 544u, 599u}) {
      AttentionData data({2, 32, 32, 600, 90, q8_0}, 1, 1);
      data.set_nan(position);
      for (const Kernels* set : test::runnable_kernels()) {
        const std::vector<float> out = data.run(*set, 16, 0, data.dims.n_tokens);
        for (std::size_t row = 0; row < data.dims.n_tokens * 2; ++row)
          for (std::size_t d = 0; d < 32; ++d)
            ASSERT_EQ(std::isnan(out[row * 32 + d]), data.visible(row) > position)
                << set->name << " row " << row << " position " << position;
      }
    }
  }
}

TEST(Attention, SameBitsForAnyBlockSizeAndCompany) {
  for (const bool q8_0 : {false, true}) {
    for (const std::size_t dim : {64u, 96u}) {
      const AttentionData data({3, dim, dim, 530, 40, q8_0}, 2, 1);
      for (const Kernels* set : test::runnable_kernels()) {
        SCOPED_TRACE(set->name);
        const std::vector<float> whole = data.run(*set, 32, 0, 40);
        for (const std::size_t block_tokens : {1u, 5u, 24u, 64u, 256u})
          EXPECT_EQ(data.run(*set, block_tokens, 0, 40), whole) << block_tokens;
        for (const std::size_t n_tokens : {1u, 2u, 3u, 20u}) {
          for (std::size_t first = 0; first + n_tokens <= 40; first += n_tokens) {
            const std::vector<float> part = data.run(*set, 32, first, n_tokens);
            ASSERT_EQ(0, std::memcmp(part.data(), whole.data() + first * 3 * dim,
                                     part.size() * sizeof(float)))
                << n_tokens << " tokens from " << first;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace edgelm::kernels
