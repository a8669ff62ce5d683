#pragma once
// Finds special tokens written out in a text: the longest one at the leftmost place, as vendors'
// tokenizers do. Used by the tokenizers to cut a text before it is encoded piece by piece.

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "text/vocab.h"

namespace edgelm::text {

struct SpecialMatch {
  std::size_t begin = 0;
  std::size_t length = 0;
  TokenId id = kNoToken;
};

class SpecialMatcher {
 public:
  SpecialMatcher() = default;
  // Texts must be non-empty and outlive the matcher; of equal texts the first id counts.
  struct Entry {
    std::string_view text;
    TokenId id;
  };
  explicit SpecialMatcher(std::vector<Entry> entries);

  // The first match at or after `from`. Time is linear in the text for a given vocabulary.
  [[nodiscard]] std::optional<SpecialMatch> find(std::string_view text, std::size_t from) const;

  [[nodiscard]] bool empty() const { return entries_.empty(); }

 private:
  std::vector<Entry> entries_;            // sorted by text
  std::array<std::size_t, 257> first_{};  // entries with first byte b: [first_[b], first_[b + 1])
};

// Control, unknown and user-defined tokens: recognised where the caller asks for it.
SpecialMatcher match_all_special(const Vocabulary& vocab);

// User-defined tokens that are plain text rather than markers: white space (GPT-NeoX's and Gemma's
// runs of spaces and line ends) and single characters (deepseek-coder's). Their models were trained
// with these taken out of every text, so they are recognised always.
SpecialMatcher match_plain_user_defined(const Vocabulary& vocab);

}  // namespace edgelm::text
