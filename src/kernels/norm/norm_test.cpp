// Contract test of RMSNorm: every instruction set against a float64 reference.

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

#include "base/random.h"
#include "support/guarded_buffer.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

constexpr float kEps = 1e-5f;
// The factor, and each of the two products, is rounded once: 3 half-ulps; one more for the float64
// sum. 2^-149 is the spacing of denormal results.
constexpr double kRelative = 4 * 0x1p-24;
constexpr double kAbsolute = 2 * 0x1p-149;

double reference_factor(const test::GuardedBuffer<float>& x) {
  long double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) squares += static_cast<long double>(x[i]) * x[i];
  return static_cast<double>(
      1 / std::sqrt(squares / static_cast<long double>(x.size()) + static_cast<long double>(kEps)));
}

void check(const Kernels& set, std::size_t n, float magnitude, std::uint64_t seed) {
  SCOPED_TRACE(std::string(set.name) + " n " + std::to_string(n) + " magnitude " +
               std::to_string(magnitude) + " seed " + std::to_string(seed));
  test::GuardedBuffer<float> x(n), weight(n), out(n);
  Random random(seed);
  std::set<float> distinct;
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = magnitude * random.uniform(-1, 1);
    weight[i] = random.uniform(-2, 2);
    distinct.insert(weight[i]);
  }
  ASSERT_GT(distinct.size(), n / 2);
  set.rms_norm(x.data(), weight.data(), n, kEps, out.data());
  EXPECT_TRUE(out.intact());
  const double factor = reference_factor(x);
  for (std::size_t i = 0; i < n; ++i) {
    const double expected = static_cast<double>(x[i]) * factor * weight[i];
    ASSERT_NEAR(out[i], expected, kRelative * std::fabs(expected) + kAbsolute) << "element " << i;
  }
  set.rms_norm(x.data(), weight.data(), n, kEps, x.data());  // in place
  EXPECT_TRUE(x.intact());
  for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(x[i], out[i]) << "in place, element " << i;
}

TEST(RmsNorm, AgreesWithTheReferenceAtEverySize) {
  for (const Kernels* set : test::runnable_kernels()) {
    for (std::size_t n = 1; n <= 70; ++n) check(*set, n, 1, n);
    for (const std::size_t n : {576u, 896u, 960u, 1024u, 2048u, 4097u, 16384u})
      check(*set, n, 3, n);
  }
}

TEST(RmsNorm, HoldsAtTheEndsOfTheFloatRange) {
  for (const Kernels* set : test::runnable_kernels())
    for (const float magnitude : {0x1p-140f, 0x1p-126f, 1e-20f, 1e20f, 0x1p127f})
      check(*set, 100, magnitude, 7);
}

TEST(RmsNorm, ZerosStayZeroAndNaNSpreads) {
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    for (const std::size_t n : {5u, 16u, 45u}) {
      test::GuardedBuffer<float> x(n), weight(n), out(n);
      for (std::size_t i = 0; i < n; ++i) {
        x[i] = 0;
        weight[i] = 1;
      }
      set->rms_norm(x.data(), weight.data(), n, kEps, out.data());
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(out[i], 0.0f);
      x[n - 1] = std::nanf("");
      set->rms_norm(x.data(), weight.data(), n, kEps, out.data());
      for (std::size_t i = 0; i < n; ++i) EXPECT_TRUE(std::isnan(out[i])) << i;
    }
  }
}

}  // namespace
}  // namespace edgelm::kernels
