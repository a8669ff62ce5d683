// Random blocks of every weight type. Byte layouts: ggml-common.h of ggml (block_q4_0 and
// following).
#include "random_tensor.h"

#include "base/bytes.h"
#include "base/half.h"
#include "base/random.h"

namespace edgelm::conformance {
namespace {

using tensor::DType;

// How a block type is laid out: `lead` half-precision scales, then random bytes (or the other way
// round), and the root mean square of its numbers when the first scale is drawn around 1.
struct BlockRecipe {
  double rms_per_scale;       // measured over four million random numbers of the type
  double even_rms_per_scale;  // the same with Scales::kEven
  double offset_ratio;        // second half-precision scale / first; 0: there is none
  bool scales_last;           // Q6_K keeps its scale behind the bits
  bool random_sign;           // types without an offset have codes of mean -1/2: alternate the sign
};

BlockRecipe recipe(DType type) {
  switch (type) {
    case DType::kQ8_0:
      return {74.41, 74.41, 0, false, true};
    case DType::kQ4_0:
      return {4.668, 4.668, 0, false, true};
    case DType::kQ5_0:
      return {9.309, 9.309, 0, false, true};
    case DType::kQ5_1:
      return {9.296, 9.296, -15.5, false, false};
    case DType::kQ4_K:
      return {260.1, 224.5, 7.5, false, false};  // the block minimum is subtracted
    case DType::kQ5_K:
      return {530.3, 449.7, 15.5, false, false};
    default:
      return {1375.0, 1810.0, 0, true, true};  // Q6_K
  }
}

void append_scales(const BlockRecipe& block, double scale, ByteWriter& out) {
  out.write(float_to_half(static_cast<float>(scale)));
  if (block.offset_ratio != 0)
    out.write(float_to_half(static_cast<float>(scale * block.offset_ratio)));
}

// Changes the random bits of a block so that its small scales are even (see Scales).
void even_out(DType type, std::string& bits) {
  if (type == DType::kQ4_K || type == DType::kQ5_K) {
    for (std::size_t j = 0; j < 4; ++j) {  // 12 bytes hold eight 6-bit scales and eight minima
      bits[j] = static_cast<char>(bits[j] | 0xa0);  // bit 5 of scales j and j + 4
      bits[4 + j] = bits[j];
      bits[8 + j] = static_cast<char>((bits[8 + j] & 15) * 0x11);
    }
  }
  if (type == DType::kQ6_K) {
    for (std::size_t j = 192; j < 208; ++j) {
      const int magnitude = 64 + (bits[j] & 63);
      bits[j] = static_cast<char>((bits[j] & 64) == 0 ? magnitude : -magnitude);
    }
  }
}

std::string random_blocks(const tensor::DTypeInfo& info, std::uint64_t n, double rms, Scales scales,
                          Random& draw) {
  const BlockRecipe block = recipe(info.type);
  const bool even = scales == Scales::kEven;
  const double rms_per_scale = even ? block.even_rms_per_scale : block.rms_per_scale;
  std::string bits(info.block_bytes - (block.offset_ratio != 0 ? 4U : 2U), '\0');
  ByteWriter out;
  for (std::uint64_t i = 0; i < n / info.block_elements; ++i) {
    const double sign = block.random_sign && draw.below(2) == 0 ? -1 : 1;
    const double scale = sign * rms / rms_per_scale * (0.8 + 0.4 * draw.unit());
    for (char& byte : bits) byte = static_cast<char>(draw.bits() >> 56);
    if (even) even_out(info.type, bits);
    if (!block.scales_last) append_scales(block, scale, out);
    out.write_bytes(bits);
    if (block.scales_last) append_scales(block, scale, out);
  }
  return out.bytes();
}

}  // namespace

std::string random_matrix(DType type, std::uint64_t n, double rms, Scales scales,
                          std::uint64_t seed) {
  Random draw(seed);
  const tensor::DTypeInfo& info = tensor::dtype_info(type);
  if (info.quantized) return random_blocks(info, n, rms, scales, draw);
  ByteWriter out;
  const double bound = rms * 1.7320508075688772;  // a uniform draw in +-a has rms a / sqrt(3)
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto value = static_cast<float>((2 * draw.unit() - 1) * bound);
    if (type == DType::kF32) out.write(value);
    if (type == DType::kF16) out.write(float_to_half(value));
    if (type == DType::kBF16) out.write(float_to_bfloat(value));
  }
  return out.bytes();
}

std::string random_floats(std::uint64_t n, double low, double high, std::uint64_t seed) {
  Random draw(seed);
  ByteWriter out;
  for (std::uint64_t i = 0; i < n; ++i)
    out.write(static_cast<float>(low + (high - low) * draw.unit()));
  return out.bytes();
}

}  // namespace edgelm::conformance
