// Contract test of the rotary embedding: the scalar version against float64, the others bit for bit
// against the scalar one.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>

#include "base/random.h"
#include "kernels/rope/rope.h"
#include "support/guarded_buffer.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

struct Case {
  test::GuardedBuffer<float> head, cos, sin;
  Case(std::size_t n_rot, float magnitude) : head(n_rot), cos(n_rot / 2), sin(n_rot / 2) {
    Random random(n_rot);
    for (float& value : head.span()) value = magnitude * random.uniform(-1, 1);
    for (std::size_t i = 0; i < n_rot / 2; ++i) {
      const double angle = 6.3 * random.unit();
      cos[i] = static_cast<float>(std::cos(angle));
      sin[i] = static_cast<float>(std::sin(angle));
    }
  }
};

void expect_same_bits(RopeFn tested, RopeFn scalar, std::size_t n_rot, float magnitude) {
  Case expected(n_rot, magnitude), got(n_rot, magnitude);
  scalar(expected.head.data(), n_rot, expected.cos.data(), expected.sin.data());
  tested(got.head.data(), n_rot, got.cos.data(), got.sin.data());
  EXPECT_TRUE(got.head.intact());
  EXPECT_EQ(0, std::memcmp(expected.head.data(), got.head.data(), n_rot * sizeof(float)))
      << "n_rot " << n_rot << " magnitude " << magnitude;
}

TEST(Rope, ScalarRotatesPairs) {
  constexpr std::size_t kRot = 64;
  const Case before(kRot, 1);
  for (const bool interleaved : {true, false}) {
    Case after(kRot, 1);
    (interleaved ? rope_interleaved_scalar : rope_half_scalar)(after.head.data(), kRot,
                                                               after.cos.data(), after.sin.data());
    for (std::size_t i = 0; i < kRot / 2; ++i) {
      const std::size_t a = interleaved ? 2 * i : i;
      const std::size_t b = interleaved ? 2 * i + 1 : i + kRot / 2;
      const double c = before.cos[i], s = before.sin[i];
      const double x = before.head[a], y = before.head[b];
      const double tolerance = 2 * 0x1p-24 * (std::fabs(x) + std::fabs(y));
      EXPECT_NEAR(after.head[a], x * c - y * s, tolerance);
      EXPECT_NEAR(after.head[b], x * s + y * c, tolerance);
      EXPECT_NE(after.head[a], before.head[a]);
    }
  }
}

TEST(Rope, EveryInstructionSetGivesTheSameBits) {
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    for (const float magnitude : {1.0f, 0x1p-140f, 0x1p100f, 0x1p127f}) {
      for (std::size_t n_rot = 0; n_rot <= 72; n_rot += 2) {
        expect_same_bits(set->rope_interleaved, rope_interleaved_scalar, n_rot, magnitude);
        expect_same_bits(set->rope_half, rope_half_scalar, n_rot, magnitude);
      }
      for (const std::size_t n_rot : {80u, 96u, 128u, 256u, 512u}) {
        expect_same_bits(set->rope_interleaved, rope_interleaved_scalar, n_rot, magnitude);
        expect_same_bits(set->rope_half, rope_half_scalar, n_rot, magnitude);
      }
    }
  }
}

}  // namespace
}  // namespace edgelm::kernels
