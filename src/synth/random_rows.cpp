// Random bytes become blocks: the codes are taken as they come, the scales are put over them.

#include "synth/random_rows.h"

#include <array>
#include <cmath>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/half.h"
#include "base/random.h"
#include "tensor/types/all.h"

namespace edgelm::synth {
namespace {

using tensor::DType;

constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;

// random_bits(seed, index) of base/random.h with the seed mixed once.
class Stream {
 public:
  explicit Stream(std::uint64_t seed) : start_(mix64(seed + kGolden)) {}
  [[nodiscard]] std::uint64_t at(std::uint64_t index) const {
    return mix64(start_ + (index + 1) * kGolden);
  }

 private:
  std::uint64_t start_;
};

// How the numbers of a block type come from its codes. `unit_rms` is the root mean square of the
// numbers when the block's scale is 1. A code uniform in n values has variance (n^2 - 1) / 12; the
// six-bit scales of Q4_K and Q5_K are kept in [32, 64) and the eight-bit ones of Q6_K in +-[64,
// 128), as a quantizer leaves most of them, which have mean squares 2341.5 and 9461.5.
struct Codes {
  double unit_rms;
  double offset_per_scale;  // second half-precision field / first; 0: there is none
  bool signs;               // scales of both signs, for codes whose mean is -1/2
};

Codes codes_of(DType type) {
  switch (type) {
    case DType::kQ8_0:
      return {std::sqrt((255.0 * 255 - 1) / 12), 0, true};
    case DType::kQ4_0:
      return {std::sqrt((16.0 * 16 - 1) / 12 + 0.25), 0, true};
    case DType::kQ5_0:
      return {std::sqrt((32.0 * 32 - 1) / 12 + 0.25), 0, true};
    case DType::kQ5_1:
      return {std::sqrt((32.0 * 32 - 1) / 12), -15.5, false};
    case DType::kQ4_K:  // the minimum is subtracted, and equals the scale
      return {std::sqrt(2341.5 * (16.0 * 16 - 1) / 12), 7.5, false};
    case DType::kQ5_K:
      return {std::sqrt(2341.5 * (32.0 * 32 - 1) / 12), 15.5, false};
    default:  // Q6_K
      return {std::sqrt(9461.5 * ((64.0 * 64 - 1) / 12 + 0.25)), 0, true};
  }
}

// Half-precision scales to draw from: from 0.8 to 1.2 times what gives `rms`.
struct ScaleTable {
  std::array<std::uint16_t, 256> first;
  std::array<std::uint16_t, 256> second;

  ScaleTable(const Codes& codes, double rms) {
    for (std::size_t i = 0; i < first.size(); ++i) {
      const double sign = codes.signs && i % 2 == 1 ? -1 : 1;
      const double scale = sign * rms / codes.unit_rms * (0.8 + 0.4 * static_cast<double>(i) / 255);
      first[i] = float_to_half(static_cast<float>(scale));
      second[i] = float_to_half(static_cast<float>(scale * codes.offset_per_scale));
    }
  }
};

// Six-bit scales in [32, 64), each minimum equal to its scale (group.h, unpack_scale_min).
void tame_scales_k4(std::byte* packed) {
  for (std::size_t j = 0; j < 4; ++j) {
    packed[j] |= std::byte{0xa0};  // the highest bits of scales j and j + 4
    packed[4 + j] = packed[j];
    const auto low = packed[8 + j] & std::byte{15};
    packed[8 + j] = low | low << 4;
  }
}

template <class Type>
void tame_block(std::byte* block) {
  if constexpr (Type::kType == DType::kQ4_K || Type::kType == DType::kQ5_K) {
    tame_scales_k4(block + 4);
  } else if constexpr (Type::kType == DType::kQ6_K) {
    for (std::size_t j = 192; j < 208; ++j) {
      const int magnitude = 64 + (std::to_integer<int>(block[j]) & 63);
      const bool negative = (block[j] & std::byte{64}) != std::byte{0};
      block[j] = static_cast<std::byte>(negative ? -magnitude : magnitude);
    }
  } else if constexpr (Type::kType == DType::kQ8_0) {
    for (std::size_t j = 2; j < 34; ++j)  // no quantizer writes -128
      block[j] = block[j] == std::byte{0x80} ? std::byte{0} : block[j];
  }
}

template <class Type>
void fill_quantized(std::uint64_t seed, double rms, std::uint64_t first_block,
                    std::span<std::byte> out) {
  constexpr std::size_t kDraws = ceil_div<std::size_t>(Type::kBlockBytes, 8);
  const Stream stream(seed);
  const ScaleTable scales(codes_of(Type::kType), rms);
  std::uint64_t draw = first_block * kDraws;
  for (std::byte* block = out.data(); block < out.data() + out.size(); block += Type::kBlockBytes) {
    std::byte bits[kDraws * 8];
    for (std::size_t i = 0; i < kDraws; ++i) store_le(bits + 8 * i, stream.at(draw++));
    tame_block<Type>(bits);
    const std::size_t chosen = std::to_integer<std::size_t>(bits[Type::kHalfFields[0]]);
    store_le(bits + Type::kHalfFields[0], scales.first[chosen]);
    if constexpr (std::size(Type::kHalfFields) > 1)
      store_le(bits + Type::kHalfFields[1], scales.second[chosen]);
    std::memcpy(block, bits, Type::kBlockBytes);
  }
}

// 4096 draws from about a normal distribution of deviation 1 (Irwin-Hall: twelve uniform draws,
// less 6), symmetrical so that their mean is 0. Made of integers, so the same on every machine.
const std::array<float, 4096>& normal_draws() {
  static const auto table = [] {
    std::array<float, 4096> made{};
    const Stream stream(0);
    for (std::size_t i = 0; i < made.size() / 2; ++i) {
      std::int32_t sum = -6 * 65535;
      for (std::size_t j = 0; j < 12; ++j)
        sum += static_cast<std::int32_t>(stream.at(12 * i + j) & 0xffff);
      made[2 * i] = static_cast<float>(sum) / 65536;
      made[2 * i + 1] = -made[2 * i];
    }
    return made;
  }();
  return table;
}

template <class T, class Convert>
void fill_floats(std::uint64_t seed, std::uint64_t first, Convert convert,
                 std::span<std::byte> out) {
  std::array<T, 4096> table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = convert(normal_draws()[i]);
  const Stream stream(seed);
  const std::uint64_t n = out.size() / sizeof(T);
  std::uint64_t bits = 0;
  for (std::uint64_t i = 0; i < n; ++i) {
    const std::uint64_t element = first + i;  // four elements share a draw
    if (i == 0 || element % 4 == 0) bits = stream.at(element / 4) >> (element % 4 * 16);
    store_le(out.data() + i * sizeof(T), table[bits & 4095]);
    bits >>= 16;
  }
}

void fill(DType type, std::uint64_t seed, double mean, double rms, std::uint64_t first,
          std::span<std::byte> out) {
  const auto value = [=](float draw) { return static_cast<float>(mean + rms * double{draw}); };
  if (type == DType::kF32) {
    fill_floats<float>(seed, first, value, out);
  } else if (type == DType::kF16) {
    fill_floats<std::uint16_t>(
        seed, first, [&](float draw) { return float_to_half(value(draw)); }, out);
  } else {
    fill_floats<std::uint16_t>(
        seed, first, [&](float draw) { return float_to_bfloat(value(draw)); }, out);
  }
}

template <class... Types>
void fill_one_of(tensor::TypeList<Types...>, DType type, std::uint64_t seed, double rms,
                 std::uint64_t first_block, std::span<std::byte> out) {
  const auto offer = [&]<class Type>() {
    if (Type::kType != type) return;
    if constexpr (Type::kQuantized) {
      fill_quantized<Type>(seed, rms, first_block, out);
    } else {
      fill(type, seed, 0, rms, first_block, out);
    }
  };
  (offer.template operator()<Types>(), ...);
}

}  // namespace

void random_blocks(DType type, std::uint64_t seed, double rms, std::uint64_t first_block,
                   std::span<std::byte> out) {
  fill_one_of(tensor::AllTypes{}, type, seed, rms, first_block, out);
}

void random_floats(std::uint64_t seed, double mean, double rms, std::span<std::byte> out) {
  fill(DType::kF32, seed, mean, rms, 0, out);
}

}  // namespace edgelm::synth
