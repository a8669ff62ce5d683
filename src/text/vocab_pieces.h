#pragma once
// The strings of a vocabulary in one arena, and the flat hash map from a string back to its id.
// Built once when a tokenizer loads (150 to 260 thousand strings), read by every encode.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "text/tokenizer.h"

namespace edgelm::text {

// Strings by id. Owns its bytes; views stay valid while the table is neither changed nor moved.
class PieceTable {
 public:
  void reserve(std::size_t n_pieces, std::size_t n_bytes) {
    ends_.reserve(n_pieces);
    bytes_.reserve(n_bytes);
  }
  void push_back(std::string_view piece) {
    bytes_.append(piece);
    ends_.push_back(bytes_.size());
    if (piece.size() > longest_) longest_ = piece.size();
  }
  [[nodiscard]] std::string_view operator[](TokenId id) const {
    const auto i = static_cast<std::size_t>(id);
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, ends_[i] - begin};
  }
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::size_t longest() const { return longest_; }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
  std::size_t longest_ = 0;
};

inline std::uint64_t piece_hash(std::string_view piece) {
  std::uint64_t hash = piece.size();
  const char* at = piece.data();
  std::size_t rest = piece.size();
  for (; rest > 8; rest -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 29;
  }
  std::uint64_t word = 0;
  if (rest > 0) std::memcpy(&word, at, rest);
  return mix64(hash ^ (word * 0x9e3779b97f4a7c15ULL));
}

// String -> id over a PieceTable that is passed to every call. Open addressing, at most half full.
class PieceMap {
 public:
  explicit PieceMap(std::size_t n_pieces = 0) {
    std::size_t slots = 16;
    while (slots < n_pieces * 2) slots *= 2;
    slots_.resize(slots);
  }
  // Adds piece `id`; a string that is there already keeps its first id. At most `n_pieces` calls.
  void insert(const PieceTable& pieces, TokenId id) {
    const std::string_view piece = pieces[id];
    const std::uint64_t hash = piece_hash(piece);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.id == kNoToken) {
        slot = {static_cast<std::uint32_t>(hash >> 32), id};
        return;
      }
      if (slot.tag == static_cast<std::uint32_t>(hash >> 32) && pieces[slot.id] == piece) return;
    }
  }
  [[nodiscard]] TokenId find(const PieceTable& pieces, std::string_view piece) const {
    const std::uint64_t hash = piece_hash(piece);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.id == kNoToken) return kNoToken;
      if (slot.tag == static_cast<std::uint32_t>(hash >> 32) && pieces[slot.id] == piece)
        return slot.id;
    }
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;  // upper half of the hash
    TokenId id = kNoToken;
  };
  std::vector<Slot> slots_;
};

}  // namespace edgelm::text
