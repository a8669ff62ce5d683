#pragma once
// The merge list of a byte-level BPE vocabulary: (left id, right id) -> rank and merged id, as a
// flat hash table, so that finding a pair costs one or two cache lines.

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "text/bpe_merge.h"

namespace edgelm::text {

class MergeTable {
 public:
  explicit MergeTable(std::size_t n_merges = 0) {
    std::size_t slots = 16;
    while (slots < n_merges * 2) slots *= 2;
    slots_.resize(slots);
  }
  // At most `n_merges` calls; a pair that is there already keeps its first merge.
  void insert(TokenId left, TokenId right, Merge merge) {
    const std::uint64_t key = key_of(left, right);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = mix64(key) & mask;; at = (at + 1) & mask) {
      if (slots_[at].key == key) return;
      if (slots_[at].key == kEmpty) {
        slots_[at] = {key, merge};
        return;
      }
    }
  }
  [[nodiscard]] Merge find(TokenId left, TokenId right) const {
    const std::uint64_t key = key_of(left, right);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = mix64(key) & mask;; at = (at + 1) & mask) {
      if (slots_[at].key == key) return slots_[at].merge;
      if (slots_[at].key == kEmpty) return {};
    }
  }

 private:
  static constexpr std::uint64_t kEmpty = UINT64_MAX;  // (kNoToken, kNoToken)
  static std::uint64_t key_of(TokenId left, TokenId right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 |
           static_cast<std::uint32_t>(right);
  }
  struct Slot {
    std::uint64_t key = kEmpty;
    Merge merge;
  };
  std::vector<Slot> slots_;
};

}  // namespace edgelm::text
