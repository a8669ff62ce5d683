#pragma once
// Packed tensor bytes for tests and benchmarks: random blocks of any type with finite scales, and
// the extremes of a type.

#include <cstring>
#include <string_view>

#include "base/half.h"
#include "base/random.h"
#include "tensor/types/all.h"

namespace edgelm::test {

enum class Blocks {
  kRandom,        // every byte random; f16 fields uniform in [-0.05, 0.05)
  kAllBitsSet,    // every byte 0xff: largest unsigned values, -1 for signed ones; f16 fields 65504
  kMostNegative,  // every byte 0x80: -128 for signed values; f16 fields -65504
  kZeroScale,     // random bytes, f16 fields 0
};

inline std::string_view name_of(Blocks blocks) {
  constexpr std::string_view kNames[] = {"random", "all bits set", "most negative", "zero scale"};
  return kNames[static_cast<int>(blocks)];
}

inline float block_number(Blocks blocks, Random& random) {
  switch (blocks) {
    case Blocks::kRandom:
      return random.uniform(-0.05f, 0.05f);
    case Blocks::kAllBitsSet:
      return 65504;
    case Blocks::kMostNegative:
      return -65504;
    case Blocks::kZeroScale:
      break;
  }
  return 0;
}

template <class Type>
void fill_block(Blocks blocks, Random& random, std::byte* block) {
  if constexpr (Type::kQuantized) {
    for (std::uint32_t i = 0; i < Type::kBlockBytes; ++i) {
      const auto noise = static_cast<std::byte>(random.bits() & 0xff);
      block[i] = blocks == Blocks::kAllBitsSet     ? std::byte{0xff}
                 : blocks == Blocks::kMostNegative ? std::byte{0x80}
                                                   : noise;
    }
    for (const std::uint32_t field : Type::kHalfFields) {
      store_le(block + field, float_to_half(block_number(blocks, random)));
    }
  } else {
    const float value = block_number(blocks, random);
    if constexpr (Type::kType == tensor::DType::kF32) {
      store_le(block, value);
    } else if constexpr (Type::kType == tensor::DType::kF16) {
      store_le(block, float_to_half(value));
    } else {
      store_le(block, float_to_bfloat(value));
    }
  }
}

template <class... Types>
void fill_blocks_in(tensor::TypeList<Types...>, tensor::DType type, std::size_t n_elements,
                    Blocks blocks, Random& random, std::byte* out) {
  const auto fill = [&]<class Type>() {
    if (Type::kType != type) return;
    for (std::size_t b = 0; b < n_elements / Type::kBlockElements; ++b) {
      fill_block<Type>(blocks, random, out + b * Type::kBlockBytes);
    }
  };
  (fill.template operator()<Types>(), ...);
}

// n_elements: a multiple of the type's block.
inline void fill_blocks(tensor::DType type, std::size_t n_elements, Blocks blocks, Random& random,
                        std::byte* out) {
  fill_blocks_in(tensor::AllTypes{}, type, n_elements, blocks, random, out);
}

// Calls visit(dtype) for every type of the list.
template <class Visit, class... Types>
void for_each_type_in(tensor::TypeList<Types...>, Visit visit) {
  (visit(Types::kType), ...);
}

template <class Visit>
void for_each_type(Visit visit) {
  for_each_type_in(tensor::AllTypes{}, visit);
}

}  // namespace edgelm::test
