// The peaks run, take time, and wider sets are not slower than narrow ones.

#include "kernels/probe/peak.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "os/clock.h"
#include "support/emulated.h"
#include "support/isa.h"

namespace edgelm::kernels {
namespace {

// The best of some runs: other work on the machine only slows.
double macs_per_second(const Mix& mix) {
  constexpr std::int64_t kRounds = 100'000;
  double best = 0;
  for (int run = 0; run < 7; ++run) {
    const std::int64_t start = os::now_ns();
    mix.run(kRounds);
    best = std::max(best, mix.macs_per_round * kRounds / os::ns_to_s(os::now_ns() - start));
  }
  return best;
}

TEST(Peak, EverySetOfThisProcessorHasPlausiblePeaks) {
  if (test::is_emulated()) GTEST_SKIP() << "an emulator's vectors are slower than its scalars";
  const double scalar_int = macs_per_second(int8_peak(Isa::kScalar));
  const double scalar_float = macs_per_second(f32_peak(Isa::kScalar));
  for (const Kernels* set : test::runnable_kernels()) {
    SCOPED_TRACE(set->name);
    const double bytes = macs_per_second(int8_peak(set->isa));
    const double floats = macs_per_second(f32_peak(set->isa));
    // One multiply-add per cycle of 300 MHz, at most 4 x 512 bits of bytes per cycle of 8 GHz.
    EXPECT_GT(bytes, 3e8);
    EXPECT_LT(bytes, 4 * 64 * 8e9);
    EXPECT_GT(floats, 1e8);
    EXPECT_LT(floats, 4 * 16 * 8e9);
    if (set->isa != Isa::kScalar) {
      EXPECT_GT(bytes, 2 * scalar_int);
      EXPECT_GT(floats, 1.5 * scalar_float);
      EXPECT_NE(&int8_peak(set->isa), &int8_peak(Isa::kScalar));
    }
  }
}

}  // namespace
}  // namespace edgelm::kernels
