// Contract test of the panel kernels: every instruction set gives the bits of the specification.

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>

#include "support/panel_problem.h"

namespace edgelm::kernels {
namespace {

using tensor::DType;
using test::Blocks;
using test::GuardedBuffer;
using test::Inputs;
using test::PanelProblem;
using test::PanelSet;

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }
float start(std::size_t index) { return static_cast<float>(index % 97) - 48.5f; }

// Same bits, or both not a number: which one is the processor's choice.
bool same(float a, float b) { return bits(a) == bits(b) || (std::isnan(a) && std::isnan(b)); }

struct Call {
  std::size_t row_begin = 0, row_end = 0;
  std::size_t stride = 0;
  bool accumulate = false;
};

// Runs a function over outputs that held start(): all of them, also those it must not touch.
void run(PanelFn function, PanelWants wants, const PanelProblem& problem, const Call& call,
         GuardedBuffer<float>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = start(i);
  PanelArgs args = problem.panel_args(out, call.stride, wants);
  args.row_begin = call.row_begin;
  args.row_end = call.row_end;
  args.accumulate = call.accumulate;
  function(args);
}

void compare(const PanelSet& set, const PanelProblem& problem, const Call& call) {
  const std::size_t outputs = (problem.tokens - 1) * call.stride + problem.rows;
  GuardedBuffer<float> expected(outputs), out(outputs);
  run(panel_scalar(problem.info.type), {}, problem, call, expected);
  run(set.panel(problem.info.type), set.wants(problem.info.type), problem, call, out);
  ASSERT_TRUE(out.intact());
  for (std::size_t i = 0; i < outputs; ++i) {
    ASSERT_TRUE(same(out[i], expected[i]))
        << "row " << i % call.stride << ", token " << i / call.stride << ": " << out[i]
        << ", expected " << expected[i];
  }
}

void check(const PanelSet& set, DType type, std::size_t rows, std::size_t cols, std::size_t tokens,
           Blocks blocks = Blocks::kRandom, Inputs inputs = Inputs::kRandom) {
  const std::uint64_t seed = rows * 1000003 + cols * 101 + tokens;
  SCOPED_TRACE(std::to_string(rows) + "x" + std::to_string(cols) + ", tokens " +
               std::to_string(tokens) + ", " + std::string(test::name_of(blocks)) + ", seed " +
               std::to_string(seed));
  const PanelProblem problem(type, rows, cols, tokens, blocks, inputs, seed);
  compare(set, problem, {.row_end = rows, .stride = rows});
}

template <class Visit>  // visit(set, type)
void for_each_kernel(Visit visit) {
  for (const PanelSet& set : test::panel_sets()) {
    test::for_each_packed_type([&](DType type) {
      SCOPED_TRACE(std::string(set.name) + " " + std::string(tensor::dtype_info(type).name));
      ASSERT_NE(set.panel(type), nullptr);
      visit(set, type);
    });
  }
}

// Two chunks: for types of 32 columns the second is a rest of three groups.
std::size_t two_chunks(DType type) { return test::whole_chunks(type) ? 512 : 352; }

// The table's functions are those that this file tests, and the best set of the host has some.
TEST(Panels, EverySetThatRunsHereIsTested) {
  const std::vector<PanelSet> sets = test::panel_sets();
  std::size_t with_panels = 0;
  for (const Kernels* set : test::runnable_kernels()) {
    ASSERT_NE(set->panel, nullptr);
    if (set->panel(DType::kQ8_0) == nullptr) continue;
    ++with_panels;
    bool found = false;
    for (const PanelSet& tested : sets) {
      if (tested.name != set->name) continue;
      found = true;
      EXPECT_EQ(set->panel_bias, tested.bias);
      EXPECT_EQ(set->panel_wide, tested.wide);
      test::for_each_type([&](DType type) {
        EXPECT_EQ(set->panel(type), tested.panel(type)) << set->name;
        const PanelWants wants = set->panel_wants(type), direct = tested.wants(type);
        EXPECT_TRUE(wants.bias == direct.bias && wants.wide == direct.wide) << set->name;
        EXPECT_TRUE(set->panel_bias != nullptr || !wants.bias) << set->name;
        EXPECT_TRUE(set->panel_wide != nullptr || !wants.wide) << set->name;
      });
    }
    EXPECT_TRUE(found) << set->name;
  }
  EXPECT_EQ(with_panels, sets.size());
#if defined(EDGELM_X86)
  EXPECT_EQ(sets.empty(), !test::has_isa(test::runnable_kernels(), Isa::kAvx2));
#elif defined(EDGELM_ARM)
  EXPECT_EQ(sets.empty(), !test::has_isa(test::runnable_kernels(), Isa::kDotprod));
#endif
}

TEST(Panels, TypesThatAreNotPackedHaveNone) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16, static_cast<DType>(99)}) {
    EXPECT_EQ(panel_bytes(type, 256), 0u);
    EXPECT_EQ(panel_scalar(type), nullptr);
    for (const PanelSet& set : test::panel_sets()) EXPECT_EQ(set.panel(type), nullptr);
  }
}

TEST(Panels, BitsOfTheSpecificationAtEveryTile) {
  for_each_kernel([](const PanelSet& set, DType type) {
    const std::size_t cols = test::whole_chunks(type) ? 256 : 96;
    for (std::size_t tokens = 1; tokens <= 9; ++tokens) {
      for (std::size_t rows = 1; rows <= 17; ++rows) check(set, type, rows, cols, tokens);
      check(set, type, 37, two_chunks(type), tokens);
    }
  });
}

TEST(Panels, BitsOfTheSpecificationAtEveryWidth) {
  for_each_kernel([](const PanelSet& set, DType type) {
    const std::size_t step = test::whole_chunks(type) ? 256 : 32;
    for (std::size_t n = 1; n <= 17; ++n) {
      for (const std::size_t tokens : {1u, 3u}) check(set, type, 9, n * step, tokens);
    }
    for (const std::size_t cols : {1536u, 4864u}) check(set, type, 16, cols, 1);
  });
}

TEST(Panels, BitsOfTheSpecificationForManyTokens) {
  for_each_kernel([](const PanelSet& set, DType type) {
    for (const std::size_t tokens : {63u, 64u, 65u, 127u, 128u, 129u, 130u, 257u})
      check(set, type, 11, two_chunks(type), tokens);
  });
}

TEST(Panels, RangesOfRowsTouchNothingElse) {
  for_each_kernel([](const PanelSet& set, DType type) {
    constexpr std::size_t kRows = 37;
    for (const std::size_t tokens : {1u, 2u, 5u}) {
      const PanelProblem problem(type, kRows, two_chunks(type), tokens, Blocks::kRandom,
                                 Inputs::kRandom, tokens);
      for (std::size_t begin = 0; begin < kRows; begin += kPanelRows) {
        for (std::size_t end = begin; end <= kRows; end += end % 8 == 6 ? 1 : 2) {
          SCOPED_TRACE(std::to_string(begin) + " to " + std::to_string(end));
          compare(
              set, problem,
              {.row_begin = begin, .row_end = end, .stride = kRows + 5, .accumulate = end % 4 < 2});
        }
      }
    }
  });
}

// What a token gets does not depend on the others, on the row range or on the tile.
TEST(Panels, SplitsGiveTheSameBits) {
  for_each_kernel([](const PanelSet& set, DType type) {
    constexpr std::size_t kRows = 21, kTokens = 70;
    const PanelProblem problem(type, kRows, two_chunks(type), kTokens, Blocks::kRandom,
                               Inputs::kRandom, 5);
    GuardedBuffer<float> whole(kRows * kTokens), alone(kRows * kTokens);
    run(set.panel(type), set.wants(type), problem, {.row_end = kRows, .stride = kRows}, whole);
    PanelArgs args = problem.panel_args(alone, kRows, set.wants(type));
    args.n_tokens = 1;
    args.x.wide = nullptr;  // one token never wants it
    std::size_t changed = 0;
    for (std::size_t t = 0; t < kTokens; ++t) {
      set.panel(type)(args);
      args.x.q += args.x.q_stride;
      args.x.scale += args.x.scale_stride;
      args.x.scaled_sum += args.x.scale_stride;
      if (args.x.bias != nullptr) args.x.bias += 4 * args.x.scale_stride;
      args.out += kRows;
    }
    for (std::size_t i = 0; i < kRows * kTokens; ++i) {
      ASSERT_EQ(bits(whole[i]), bits(alone[i])) << "row " << i % kRows << ", token " << i / kRows;
      changed += whole[i] != start(i) && whole[i] != 0 ? 1 : 0;
    }
    EXPECT_GT(changed, kRows * kTokens * 9 / 10);
  });
}

TEST(Panels, ExtremesOfTheTypeDoNotSaturate) {
  for_each_kernel([](const PanelSet& set, DType type) {
    for (const Blocks blocks : {Blocks::kAllBitsSet, Blocks::kMostNegative, Blocks::kZeroScale}) {
      for (const Inputs inputs : {Inputs::kAllMax, Inputs::kAllMin, Inputs::kRandom}) {
        for (const std::size_t tokens : {1u, 2u, 7u})
          check(set, type, 17, two_chunks(type), tokens, blocks, inputs);
      }
    }
  });
}

// Weights at either end of their range and activations of +-127: the sums that int16 must hold.
TEST(Panels, LargestSumsOfEitherSign) {
  for_each_kernel([](const PanelSet& set, DType type) {
    for (const std::size_t tokens : {1u, 4u}) {
      for (const Inputs inputs : {Inputs::kAllMax, Inputs::kAllMin, Inputs::kRandom}) {
        constexpr std::size_t kRows = 64;
        PanelProblem problem(type, kRows, 1024, tokens, Blocks::kRandom, inputs, tokens);
        Random random(tokens + 17);
        test::fill_extreme_blocks(type, kRows * 1024, random, problem.weights.data());
        for (std::int8_t& q : problem.q.span()) {
          if (inputs == Inputs::kRandom) q = random.below(2) == 0 ? 127 : -127;
        }
        problem.pack();
        compare(set, problem, {.row_end = kRows, .stride = kRows});
      }
    }
  });
}

// Scales of a hostile file: any bits, infinite and not-a-number ones too.
TEST(Panels, AnyBytesGiveTheSameResultTwiceAndOnEverySet) {
  constexpr std::size_t kRows = 16, kTokens = 5;
  std::size_t finite = 0, others = 0;
  test::for_each_packed_type([&](DType type) {
    SCOPED_TRACE(tensor::dtype_info(type).name);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      PanelProblem problem(type, kRows, two_chunks(type), kTokens, Blocks::kRandom, Inputs::kRandom,
                           seed);
      Random random(seed);
      for (std::byte& byte : problem.weights.span())
        byte = static_cast<std::byte>(random.bits() & 0xff);
      problem.pack();
      GuardedBuffer<float> first(kRows * kTokens), second(kRows * kTokens);
      const Call call{.row_end = kRows, .stride = kRows};
      run(panel_scalar(type), {}, problem, call, first);
      run(panel_scalar(type), {}, problem, call, second);
      for (std::size_t i = 0; i < first.size(); ++i) {
        ASSERT_EQ(bits(first[i]), bits(second[i]));
        ++(std::isfinite(first[i]) ? finite : others);
      }
      for (const PanelSet& set : test::panel_sets()) {
        SCOPED_TRACE(set.name);
        compare(set, problem, call);
      }
    }
  });
  EXPECT_GT(finite, 1000u);
  EXPECT_GT(others, 1000u);
}

TEST(Panels, BiasIsMinusOffsetTimesTheSumOfColumns) {
  for (std::size_t n = 32; n <= 512; n += 32) {
    GuardedBuffer<std::int8_t> q(n);
    GuardedBuffer<std::int16_t> expected(n / 8), bias(n / 8);
    Random random(n);
    for (const int kind : {0, 1, 2}) {
      for (std::int8_t& value : q.span()) {
        value = static_cast<std::int8_t>(kind == 0   ? static_cast<int>(random.below(255)) - 127
                                         : kind == 1 ? 127
                                                     : -127);
      }
      panel_bias_scalar(q.data(), n, expected.data());
      for (std::size_t i = 0; i < n / 8; ++i) {
        const std::size_t first = i / 2 * 16 + i % 2 * 2;
        int sum = 0;
        for (std::size_t c = first; c < first + 16; c += 4) sum += q[c] + q[c + 1];
        ASSERT_EQ(expected[i], -32 * sum) << i;
      }
      for (const PanelSet& set : test::panel_sets()) {
        if (set.bias == nullptr) continue;
        set.bias(q.data(), n, bias.data());
        for (std::size_t i = 0; i < n / 8; ++i) ASSERT_EQ(bias[i], expected[i]) << set.name << i;
        EXPECT_TRUE(bias.intact());
      }
    }
  }
}

TEST(Panels, WideIsTheActivationsReordered) {
  constexpr std::size_t kValues = 96, kOrder[4] = {0, 2, 1, 3};
  GuardedBuffer<std::int8_t> q(kValues);
  GuardedBuffer<std::int16_t> expected(kValues), wide(kValues);
  for (std::size_t i = 0; i < kValues; ++i)
    q[i] = static_cast<std::int8_t>(static_cast<int>(i * 37 % 255) - 127);
  panel_wide_scalar(q.data(), kValues, expected.data());
  for (std::size_t i = 0; i < kValues; ++i) ASSERT_EQ(expected[i], q[i / 4 * 4 + kOrder[i % 4]]);
  for (const PanelSet& set : test::panel_sets()) {
    if (set.wide == nullptr) continue;
    set.wide(q.data(), kValues, wide.data());
    for (std::size_t i = 0; i < kValues; ++i) ASSERT_EQ(wide[i], expected[i]) << set.name << i;
    EXPECT_TRUE(wide.intact());
  }
}

}  // namespace
}  // namespace edgelm::kernels
