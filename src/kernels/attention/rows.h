#pragma once
// Turns positions into row pointers of a blocked cache; used by every version of attention that
// works on several positions at once.

#include "kernels/attention/attention.h"

namespace edgelm::kernels {

// Writes the addresses of rows [first, first + count) of K or V. Positions at or beyond n_positions
// get the last valid row, so that a full-width tile never reads behind the end.
inline void find_rows(const AttentionArgs& a, std::size_t first, std::size_t count,
                      std::size_t offset, std::size_t dim, const std::uint16_t** rows) {
  std::size_t block = first / a.block_tokens;
  std::size_t within = first % a.block_tokens;
  for (std::size_t i = 0; i < count; ++i) {
    if (first + i >= a.n_positions) {
      rows[i] = rows[i - 1];
      continue;
    }
    rows[i] = a.blocks[block] + offset + within * dim;
    if (++within == a.block_tokens) {
      within = 0;
      ++block;
    }
  }
}

}  // namespace edgelm::kernels
