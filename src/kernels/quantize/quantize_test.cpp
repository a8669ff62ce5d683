// Contract test of activation quantization: the same bits as a float-by-float reading of the
// contract on every instruction set, for ordinary, extreme and non-finite inputs.

#include <gtest/gtest.h>

#include <bit>
#include <cfloat>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/quantize/quantize.h"
#include "support/guarded_buffer.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

using test::GuardedBuffer;

// Round to nearest, ties to even, of |x| < 2^20: by comparing distances, not by rounding modes.
int round_even(float x) {
  const double value = x;
  const double below = std::floor(value);
  const double rest = value - below;
  const bool up = rest > 0.5 || (rest == 0.5 && std::fmod(below, 2) != 0);
  return static_cast<int>(below) + (up ? 1 : 0);
}

void check_group(const float* x, const std::int8_t* q, float scale, float scaled_sum) {
  float max = 0;
  float clean[32];
  for (int j = 0; j < 32; ++j) {
    clean[j] = x[j];
    if (std::isnan(x[j])) clean[j] = 0;
    if (std::isinf(x[j])) clean[j] = x[j] > 0 ? FLT_MAX : -FLT_MAX;
    max = std::fmax(max, std::fabs(clean[j]));
  }
  const bool zero = max < kQuantizeTiny;
  int sum = 0;
  for (int j = 0; j < 32; ++j) {
    const int expected = zero ? 0 : round_even(clean[j] * (127.0f / max));
    ASSERT_LE(std::abs(expected), 127);
    ASSERT_EQ(q[j], expected) << "element " << j << " of value " << x[j];
    sum += expected;
  }
  const float expected_scale = zero ? 0 : max / 127.0f;
  ASSERT_EQ(scale, expected_scale);
  ASSERT_EQ(scaled_sum, expected_scale * static_cast<float>(sum));
}

void check(const Kernels& set, const std::vector<float>& values) {
  GuardedBuffer<float> x(values.size()), scale(values.size() / 32), sum(values.size() / 32);
  GuardedBuffer<std::int8_t> q(values.size());
  std::copy(values.begin(), values.end(), x.data());
  set.quantize(x.data(), values.size(), q.data(), scale.data(), sum.data());
  ASSERT_TRUE(q.intact() && scale.intact() && sum.intact());
  for (std::size_t g = 0; g < scale.size(); ++g) {
    SCOPED_TRACE(std::string(set.name) + ", group " + std::to_string(g));
    check_group(x.data() + g * 32, q.data() + g * 32, scale[g], sum[g]);
  }
}

TEST(Quantize, SameBitsOnEveryInstructionSet) {
  for (const Kernels* set : test::runnable_kernels()) {
    for (std::size_t groups = 1; groups <= 40; ++groups) {
      Random random(groups);
      std::vector<float> x(groups * 32);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const float magnitude = std::ldexp(1.0f, static_cast<int>(groups) * 6 - 120);
        x[i] = magnitude * random.uniform(-1, 1);
      }
      EXPECT_GT(std::set<float>(x.begin(), x.end()).size(), x.size() / 2);
      check(*set, x);
    }
  }
}

// max = 127 makes the factor 1, so that halves are exact ties.
TEST(Quantize, TiesGoToEven) {
  for (const Kernels* set : test::runnable_kernels()) {
    std::vector<float> x(32);
    for (int j = 0; j < 31; ++j) x[static_cast<std::size_t>(j)] = static_cast<float>(j) - 15.5f;
    x[31] = 127;
    check(*set, x);
    std::int8_t q[32];
    float scale = 0, sum = 0;
    set->quantize(x.data(), 32, q, &scale, &sum);
    EXPECT_EQ(q[0], -16);  // -15.5
    EXPECT_EQ(q[1], -14);  // -14.5
    EXPECT_EQ(q[15], 0);   // -0.5
    EXPECT_EQ(q[17], 2);   // 1.5
    EXPECT_EQ(q[31], 127);
    EXPECT_EQ(scale, 1);
  }
}

TEST(Quantize, ZerosTinyAndNonFinite) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const Kernels* set : test::runnable_kernels()) {
    for (const float odd :
         {0.0f, -0.0f, kQuantizeTiny, std::nextafter(kQuantizeTiny, 0.0f), FLT_MIN,
          std::numeric_limits<float>::denorm_min(), FLT_MAX, -FLT_MAX, kInf, -kInf, kNan, -kNan}) {
      for (std::size_t place = 0; place < 32; ++place) {
        std::vector<float> alone(64, 0.0f);
        alone[place] = odd;
        check(*set, alone);
        std::vector<float> among(64, 1.5f);
        among[place] = odd;
        among[63 - place] = -odd;
        check(*set, among);
      }
    }
    check(*set, std::vector<float>(32, kNan));
    check(*set, std::vector<float>(32, kInf));
    check(*set, {});
  }
}

}  // namespace
}  // namespace edgelm::kernels
