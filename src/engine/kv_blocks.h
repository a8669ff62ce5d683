#pragma once
// The allocator of KV blocks: which block ids are free, and how many sequences hold each. The bytes
// belong to the executor. A block whose count falls to zero is free again.

#include <cstdint>
#include <vector>

namespace edgelm::engine {

class KvBlocks {
 public:
  explicit KvBlocks(std::uint32_t n_blocks);

  [[nodiscard]] std::uint32_t n_free() const { return static_cast<std::uint32_t>(free_.size()); }
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(counts_.size()); }

  // Takes a free block with count 1. There must be one (check n_free()).
  std::uint32_t take();
  // One more holder of a block in use.
  void share(std::uint32_t block) { ++counts_[block]; }
  void release(std::uint32_t block);

 private:
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint32_t> free_;  // a stack; capacity never grows
};

}  // namespace edgelm::engine
