// Contract test of the elementwise kernels: silu_mul against a float64 reference, add and to_half
// bit for bit, all at every position of a vector or tail.

#include "kernels/elementwise/elementwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/half.h"
#include "base/random.h"
#include "support/guarded_buffer.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kMax = std::numeric_limits<float>::max();

std::vector<float> silu(const Kernels& set, const std::vector<float>& gate,
                        const std::vector<float>& up) {
  test::GuardedBuffer<float> g(gate.size()), u(up.size()), out(gate.size());
  std::ranges::copy(gate, g.data());
  std::ranges::copy(up, u.data());
  set.silu_mul(g.data(), u.data(), gate.size(), out.data());
  EXPECT_TRUE(out.intact());
  set.silu_mul(g.data(), u.data(), gate.size(), g.data());  // in place
  if (!gate.empty()) {
    EXPECT_EQ(0, std::memcmp(g.data(), out.data(), gate.size() * sizeof(float)));
  }
  return {out.data(), out.data() + out.size()};
}

// exp below one ulp (2 half-ulps), then add, multiply, divide, multiply: 6 half-ulps.
void expect_silu(float gate, float up, float got) {
  const double g = gate;
  const double expected = g / (1 + std::exp(-g)) * up;
  const double flushed = std::fabs(g * up) * 0x1p-124 + 4 * 0x1p-149 * (1 + std::fabs(up));
  ASSERT_NEAR(got, expected, 6 * 0x1p-24 * std::fabs(expected) + flushed)
      << "gate " << gate << " up " << up;
}

TEST(SiluMul, AgreesWithTheReference) {
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    std::vector<float> gate, up;
    Random random(1);
    for (int i = -4000; i <= 4000; ++i) gate.push_back(static_cast<float>(i) / 32);  // +-125
    for (const float g : {0.0f, -0.0f, 1e-40f, -1e-40f, 1e-6f, -1e-6f, 1e10f, -1e10f, kMax, -kMax})
      gate.push_back(g);
    for (int i = 0; i < 20000; ++i) gate.push_back(random.uniform(-20, 20));
    for (std::size_t i = 0; i < gate.size(); ++i)
      up.push_back(std::fabs(gate[i]) > 1000 ? 1 : random.uniform(-3, 3));
    const std::vector<float> out = silu(*set, gate, up);
    for (std::size_t i = 0; i < gate.size(); ++i) expect_silu(gate[i], up[i], out[i]);
  }
}

TEST(SiluMul, LimitsAndNaN) {
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    const float nan = std::nanf("");
    const std::vector<float> out =
        silu(*set, {kInfinity, -kInfinity, nan, 1, -500, 0}, {2, 2, 2, nan, 2, 2});
    EXPECT_EQ(out[0], kInfinity);
    EXPECT_EQ(out[1], 0.0f);
    EXPECT_TRUE(std::isnan(out[2]));
    EXPECT_TRUE(std::isnan(out[3]));
    EXPECT_EQ(out[4], 0.0f);
    EXPECT_EQ(out[5], 0.0f);
  }
}

TEST(SiluMul, PositionDoesNotChangeTheResult) {
  Random random(2);
  std::vector<float> gate(67), up(67);
  for (std::size_t i = 0; i < gate.size(); ++i) {
    gate[i] = random.uniform(-9, 9);
    up[i] = random.uniform(-9, 9);
  }
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    EXPECT_TRUE(silu(*set, {}, {}).empty());
    const std::vector<float> whole = silu(*set, gate, up);
    EXPECT_NE(whole[0], whole[1]);
    for (std::size_t begin = 0; begin < gate.size(); ++begin) {
      for (std::size_t end = begin + 1; end <= gate.size(); ++end) {
        const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
        const std::vector<float> part = silu(*set, {gate.begin() + from, gate.begin() + to},
                                             {up.begin() + from, up.begin() + to});
        ASSERT_EQ(0, std::memcmp(part.data(), whole.data() + begin, part.size() * sizeof(float)));
      }
    }
  }
}

TEST(Add, SameBitsAtEverySize) {
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    for (std::size_t n = 0; n <= 70; ++n) {
      test::GuardedBuffer<float> x(n), y(n), expected(n);
      Random random(n);
      for (std::size_t i = 0; i < n; ++i) {
        x[i] = random.uniform(-1, 1) * (i % 5 == 0 ? 0x1p-140f : i % 7 == 0 ? 0x1.8p127f : 1.0f);
        y[i] = random.uniform(-1, 1) * (i % 3 == 0 ? 0x1p-140f : i % 7 == 0 ? 0x1.8p127f : 1.0f);
        expected[i] = x[i] + y[i];
      }
      set->add(x.data(), y.data(), n);
      EXPECT_TRUE(x.intact());
      EXPECT_EQ(0, std::memcmp(x.data(), expected.data(), n * sizeof(float))) << n;
    }
  }
}

// Every half, the floats halfway to its neighbour, and the floats next to both.
std::vector<float> rounding_cases() {
  std::vector<float> cases{kMax,       -kMax,    kInfinity, -kInfinity,
                           65519.996f, 65520.0f, 1e-45f,    1e-20f};
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    const float value = half_to_float(static_cast<std::uint16_t>(half));
    if (std::isnan(value)) continue;
    const float above = half_to_float(static_cast<std::uint16_t>(half + 1));
    for (const float centre : {value, std::isfinite(above) ? (value + above) / 2 : value}) {
      cases.push_back(centre);
      cases.push_back(std::nextafter(centre, -kInfinity));
      cases.push_back(std::nextafter(centre, kInfinity));
    }
  }
  return cases;
}

TEST(ToHalf, SameBitsForEveryRoundingCase) {
  const std::vector<float> cases = rounding_cases();
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    std::vector<std::uint16_t> out(cases.size());
    set->to_half(cases.data(), cases.size(), out.data());
    for (std::size_t i = 0; i < cases.size(); ++i)
      ASSERT_EQ(out[i], float_to_half(cases[i])) << "value " << cases[i];
  }
}

TEST(ToHalf, EverySizeAndNaN) {
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    for (std::size_t n = 0; n <= 40; ++n) {
      test::GuardedBuffer<float> x(n);
      test::GuardedBuffer<std::uint16_t> out(n);
      Random random(n);
      for (float& value : x.span()) value = random.uniform(-100, 100);
      if (n > 3) x[3] = std::bit_cast<float>(0xffc12345u);
      set->to_half(x.data(), n, out.data());
      EXPECT_TRUE(out.intact());
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(out[i], float_to_half(x[i])) << n << " " << i;
    }
  }
}

}  // namespace
}  // namespace edgelm::kernels
