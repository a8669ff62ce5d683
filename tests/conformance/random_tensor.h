#pragma once
// Random tensor data in every weight type, as a function of (seed, element index): the fixture
// models need no file in the repository, and no quantizer. Used by fixture_model.cpp.
//
// Blocks are random bits with a sane scale, so that every nibble, every 6-bit scale, negative and
// subnormal half-precision scales and the int8 value -128 occur.

#include <cstdint>
#include <string>

#include "tensor/dtype.h"

namespace edgelm::conformance {

// kWild: every bit of a block is random. kEven: the small scales inside a k-quant block stay in the
// upper half of their range. Embeddings are even, as trained ones are: groups of very different
// size would make the reference's own rounding of activations (one scale per 256) coarser than the
// test.
enum class Scales : std::uint8_t { kWild, kEven };

// `n` numbers (a multiple of the type's block) whose root mean square is about `rms`.
std::string random_matrix(tensor::DType type, std::uint64_t n, double rms, Scales scales,
                          std::uint64_t seed);

// `n` float32 numbers, uniform in [low, high).
std::string random_floats(std::uint64_t n, double low, double high, std::uint64_t seed);

}  // namespace edgelm::conformance
