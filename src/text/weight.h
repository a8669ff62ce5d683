#pragma once
// exp() for sampling: a few float operations that every machine rounds alike (libm's expf differs
// between systems) and that compilers vectorize. Relative error below 2e-7.

#include <bit>
#include <cstdint>

namespace edgelm::text {

// e^x for x in [-87, 0]; 0 for smaller x and for NaN. Range reduction x = n ln2 + r with ln2 split
// in two (Cody and Waite 1980), then the Taylor polynomial of degree 7 on |r| <= ln2 / 2.
inline float exp_weight(float x) {
  const bool representable = x >= -87.0F;
  const float safe = representable ? x : 0.0F;
  constexpr float kRoundToInteger = 12582912.0F;  // 1.5 * 2^23
  const float n = (safe * 1.44269504F + kRoundToInteger) - kRoundToInteger;
  const float r = (safe - n * 0.693359375F) - n * -2.12194440e-4F;
  float p = 1.0F / 5040.0F;
  p = p * r + 1.0F / 720.0F;
  p = p * r + 1.0F / 120.0F;
  p = p * r + 1.0F / 24.0F;
  p = p * r + 1.0F / 6.0F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const std::int32_t exponent = static_cast<std::int32_t>(n) + 127;
  const float scale = std::bit_cast<float>(static_cast<std::uint32_t>(exponent) << 23);
  return representable ? p * scale : 0.0F;
}

}  // namespace edgelm::text
