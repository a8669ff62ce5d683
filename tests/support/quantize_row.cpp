// One function per block layout; the layouts are described in src/tensor/types/. Every code is
// chosen against the scale as the block stores it, rounded to half precision or six bits, so that
// rounding the scale costs no more than it must.

#include "support/quantize_row.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/bytes.h"
#include "base/half.h"

namespace edgelm::test {
namespace {

using tensor::DType;
using Values = std::span<const float>;

constexpr std::size_t kGroup = 32;

// Stores a half and returns the number that a reader will see.
float put_half(std::byte* at, float value) {
  const std::uint16_t half = float_to_half(value);
  store_le(at, half);
  return half_to_float(half);
}

// The code whose value `scale * code + offset` is nearest to x.
int nearest_code(float x, float scale, float offset, int lowest, int highest) {
  if (scale == 0) return std::clamp(0, lowest, highest);
  return std::clamp(static_cast<int>(std::lround((x - offset) / scale)), lowest, highest);
}

// The value that is farthest from zero, with its sign.
float extreme(Values x) {
  return *std::max_element(x.begin(), x.end(),
                           [](float a, float b) { return std::abs(a) < std::abs(b); });
}

void or_into(std::byte& byte, int bits) { byte |= static_cast<std::byte>(bits); }

// Codes of 4 or 5 bits, in the order that the 32-element types share: low nibbles for elements
// 0..15, high ones for 16..31; fifth bits (where `fifth` is given) in a u32.
void put_codes(const std::array<int, kGroup>& codes, std::byte* fifth, std::byte* nibbles) {
  std::uint32_t bits = 0;
  for (std::size_t j = 0; j < kGroup; ++j) {
    or_into(nibbles[j % 16], (codes[j] & 15) << (j / 16 * 4));
    bits |= static_cast<std::uint32_t>(codes[j] >> 4) << j;
  }
  if (fifth != nullptr) store_le(fifth, bits);
}

// Q4_0, Q5_0: the code that stands for -2^(bits-1) gets the extreme value, whichever its sign.
void centred(Values x, int bits, std::byte* block) {
  const int zero = 1 << (bits - 1);
  const float scale = put_half(block, extreme(x) / static_cast<float>(-zero));
  std::array<int, kGroup> codes{};
  for (std::size_t j = 0; j < kGroup; ++j)
    codes[j] = nearest_code(x[j], scale, 0, -zero, zero - 1) + zero;
  if (bits == 4) {
    put_codes(codes, nullptr, block + 2);
  } else {
    put_codes(codes, block + 2, block + 6);
  }
}

void q5_1(Values x, std::byte* block) {
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  const float offset = put_half(block + 2, *low);
  const float scale = put_half(block, (*high - offset) / 31);
  std::array<int, kGroup> codes{};
  for (std::size_t j = 0; j < kGroup; ++j) codes[j] = nearest_code(x[j], scale, offset, 0, 31);
  put_codes(codes, block + 4, block + 8);
}

void q8_0(Values x, std::byte* block) {
  const float scale = put_half(block, std::abs(extreme(x)) / 127);
  for (std::size_t j = 0; j < kGroup; ++j)
    block[2 + j] = static_cast<std::byte>(nearest_code(x[j], scale, 0, -127, 127));
}

// The mirror of tensor::unpack_scale_min: eight six-bit scales and minima in twelve bytes.
void put_scale_min(std::size_t group, int scale, int min, std::byte* packed) {
  if (group < 4) {
    or_into(packed[group], scale);
    or_into(packed[group + 4], min);
  } else {
    or_into(packed[group + 4], (scale & 15) | (min & 15) << 4);
    or_into(packed[group - 4], (scale >> 4) << 6);
    or_into(packed[group], (min >> 4) << 6);
  }
}

// Q4_K, Q5_K: eight groups with values d * scale * code - dmin * min.
void with_minima(Values x, int bits, std::byte* block) {
  const int highest = (1 << bits) - 1;
  std::array<float, 8> scales{}, mins{};
  for (std::size_t g = 0; g < 8; ++g) {
    const Values group = x.subspan(g * kGroup, kGroup);
    const auto [low, high] = std::minmax_element(group.begin(), group.end());
    mins[g] = std::max(0.0F, -*low);  // a minimum can only be subtracted
    scales[g] = std::max(0.0F, *high + mins[g]) / static_cast<float>(highest);
  }
  const float d = put_half(block, *std::max_element(scales.begin(), scales.end()) / 63);
  const float dmin = put_half(block + 2, *std::max_element(mins.begin(), mins.end()) / 63);
  std::byte* const fifth = block + 16;
  std::byte* const nibbles = block + (bits == 4 ? 16 : 48);
  for (std::size_t g = 0; g < 8; ++g) {
    const int scale = nearest_code(scales[g], d, 0, 0, 63);
    const int min = nearest_code(mins[g], dmin, 0, 0, 63);
    put_scale_min(g, scale, min, block + 4);
    for (std::size_t j = 0; j < kGroup; ++j) {
      const int code = nearest_code(x[g * kGroup + j], d * static_cast<float>(scale),
                                    -dmin * static_cast<float>(min), 0, highest);
      or_into(nibbles[g / 2 * 32 + j], (code & 15) << (g % 2 * 4));
      if (bits == 5) or_into(fifth[j], (code >> 4) << g);
    }
  }
}

void q6_k(Values x, std::byte* block) {
  std::array<float, 16> scales{};
  for (std::size_t run = 0; run < 16; ++run) scales[run] = extreme(x.subspan(run * 16, 16)) / -32;
  const float d = put_half(block + 208, std::abs(extreme(scales)) / 127);
  for (std::size_t run = 0; run < 16; ++run) {
    const int scale = nearest_code(scales[run], d, 0, -128, 127);
    block[192 + run] = static_cast<std::byte>(scale);
    for (std::size_t j = 0; j < 16; ++j) {
      const float value = x[run * 16 + j];
      const int code = nearest_code(value, d * static_cast<float>(scale), 0, -32, 31) + 32;
      const std::size_t half = run / 8, k = run % 8 / 2;  // group k of the half
      const std::size_t at = run % 2 * 16 + j;            // element of the group
      or_into(block[half * 64 + k % 2 * 32 + at], (code & 15) << (k / 2 * 4));
      or_into(block[128 + half * 32 + at], (code >> 4) << (2 * k));
    }
  }
}

void quantize_block(DType type, Values x, std::byte* block) {
  switch (type) {
    case DType::kQ4_0:
      return centred(x, 4, block);
    case DType::kQ5_0:
      return centred(x, 5, block);
    case DType::kQ5_1:
      return q5_1(x, block);
    case DType::kQ8_0:
      return q8_0(x, block);
    case DType::kQ4_K:
      return with_minima(x, 4, block);
    case DType::kQ5_K:
      return with_minima(x, 5, block);
    case DType::kQ6_K:
      return q6_k(x, block);
    default:
      std::abort();  // not a quantized type
  }
}

}  // namespace

void quantize_row(DType type, Values row, std::byte* out) {
  const tensor::DTypeInfo& info = tensor::dtype_info(type);
  if (row.size() % info.block_elements != 0) std::abort();
  std::memset(out, 0, row.size() / info.block_elements * info.block_bytes);
  for (std::size_t at = 0; at < row.size(); at += info.block_elements) {
    quantize_block(type, row.subspan(at, info.block_elements), out);
    out += info.block_bytes;
  }
}

}  // namespace edgelm::test
