// The choice by instruction set.

#include "kernels/probe/peak.h"

namespace edgelm::kernels {
namespace {

#if !defined(EDGELM_X86) && !defined(EDGELM_ARM)
// Without a SIMD set there is no header that knows how to keep floats in registers.
void multiply_floats(std::int64_t rounds) {
  volatile float sink = 0;
  float sums[8] = {};
  for (std::int64_t round = 0; round < rounds; ++round)
    for (float& sum : sums) sum = sum * 0.999F + 1.0F;
  for (const float sum : sums) sink = sink + sum;
}
constexpr Mix kScalarFloat{"f32 scalar", 8, multiply_floats};
#endif

}  // namespace

const Mix& int8_peak(Isa isa) {
  switch (isa) {
#if defined(EDGELM_X86)
    case Isa::kAvx512:
      return kVnni512;
    case Isa::kAvxVnni:
      return kVnni256;
    case Isa::kAvx2:
      return kInt16;
#elif defined(EDGELM_ARM)
    case Isa::kI8mm:
      return kI8mm;
    case Isa::kDotprod:
      return kDotprod;
    case Isa::kNeon:
      return kWidening;
#endif
    default:
      return kScalarInt;
  }
}

const Mix& f32_peak(Isa isa) {
  switch (isa) {
#if defined(EDGELM_X86)
    case Isa::kAvx512:
      return kFma512;
    case Isa::kAvxVnni:
    case Isa::kAvx2:
      return kFma;
#elif defined(EDGELM_ARM)
    case Isa::kI8mm:
    case Isa::kDotprod:
    case Isa::kNeon:
      return kFma;
#endif
    default:
      return kScalarFloat;
  }
}

}  // namespace edgelm::kernels
