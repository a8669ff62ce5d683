// A stack of free ids and a count per id.

#include "engine/kv_blocks.h"

namespace edgelm::engine {

KvBlocks::KvBlocks(std::uint32_t n_blocks) : counts_(n_blocks, 0) {
  free_.reserve(n_blocks);
  for (std::uint32_t block = n_blocks; block > 0; --block) free_.push_back(block - 1);
}

std::uint32_t KvBlocks::take() {
  const std::uint32_t block = free_.back();
  free_.pop_back();
  counts_[block] = 1;
  return block;
}

void KvBlocks::release(std::uint32_t block) {
  if (--counts_[block] == 0) free_.push_back(block);
}

}  // namespace edgelm::engine
