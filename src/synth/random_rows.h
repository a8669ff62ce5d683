#pragma once
// Random weights in any tensor type, at the speed of memory: a function of (seed, position), so
// that any cut into pieces gives the same bytes. Called by model.cpp for every tensor.

#include <cstdint>
#include <span>

#include "tensor/dtype.h"

namespace edgelm::synth {

// Fills `out` with the blocks of `type` from number `first_block` on (elements, for float types),
// drawn so that the weights have mean 0 and root mean square `rms`: normal for float types; for
// quantized ones uniform codes under a scale that varies from block to block.
// out.size(): whole blocks.
void random_blocks(tensor::DType type, std::uint64_t seed, double rms, std::uint64_t first_block,
                   std::span<std::byte> out);

// Floats normal around `mean`, for norms and biases. out.size(): a multiple of 4.
void random_floats(std::uint64_t seed, double mean, double rms, std::span<std::byte> out);

}  // namespace edgelm::synth
