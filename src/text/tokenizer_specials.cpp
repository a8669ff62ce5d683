// Special tokens in a text by binary narrowing of a sorted list; see tokenizer_specials.h.

#include "text/tokenizer_specials.h"

#include <algorithm>

#include "text/unicode.h"

namespace edgelm::text {
namespace {

// Longer ones (no known vocabulary has any) are not looked for, which bounds the work per byte.
constexpr std::size_t kMaxSpecialBytes = 256;

unsigned char first_byte(std::string_view text) { return static_cast<unsigned char>(text[0]); }

bool is_plain_text(std::string_view text) {
  return utf8_length(text) == text.size() ||
         text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

template <class Keep>
SpecialMatcher match_tokens(const Vocabulary& vocab, Keep keep) {
  std::vector<SpecialMatcher::Entry> entries;
  for (TokenId id = 0; vocab.contains(id); ++id) {
    const std::string_view text = vocab.text(id);
    if (!text.empty() && text.size() <= kMaxSpecialBytes && keep(vocab.type(id), text))
      entries.push_back({text, id});
  }
  return SpecialMatcher(std::move(entries));
}

}  // namespace

SpecialMatcher::SpecialMatcher(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.text < b.text; });
  const auto same = [](const Entry& a, const Entry& b) { return a.text == b.text; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
  for (const Entry& entry : entries_) ++first_[first_byte(entry.text) + 1U];
  for (std::size_t b = 1; b < first_.size(); ++b) first_[b] += first_[b - 1];
}

std::optional<SpecialMatch> SpecialMatcher::find(std::string_view text, std::size_t from) const {
  if (entries_.empty()) return std::nullopt;
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    std::size_t low = first_[first_byte(text.substr(begin))];
    std::size_t high = first_[first_byte(text.substr(begin)) + 1U];
    SpecialMatch best;
    // [low, high) are the entries that agree with the text in their first `depth` bytes.
    for (std::size_t depth = 1; low < high; ++depth) {
      if (entries_[low].text.size() == depth) best = {begin, depth, entries_[low++].id};
      if (begin + depth >= text.size()) break;
      const auto byte = static_cast<unsigned char>(text[begin + depth]);
      const auto at = [this, depth](std::size_t i) {
        return static_cast<unsigned char>(entries_[i].text[depth]);
      };
      if (low < high && at(low) == byte && at(high - 1) == byte) continue;  // the usual case
      const auto begin_it = entries_.begin();
      const auto low_it = begin_it + static_cast<std::ptrdiff_t>(low);
      const auto high_it = begin_it + static_cast<std::ptrdiff_t>(high);
      const auto byte_of = [depth](const Entry& entry) {
        return static_cast<unsigned char>(entry.text[depth]);
      };
      const auto new_low = std::partition_point(
          low_it, high_it, [&](const Entry& entry) { return byte_of(entry) < byte; });
      const auto new_high = std::partition_point(
          new_low, high_it, [&](const Entry& entry) { return byte_of(entry) == byte; });
      low = static_cast<std::size_t>(new_low - begin_it);
      high = static_cast<std::size_t>(new_high - begin_it);
    }
    if (best.id != kNoToken) return best;
  }
  return std::nullopt;
}

SpecialMatcher match_all_special(const Vocabulary& vocab) {
  return match_tokens(vocab, [](TokenType type, std::string_view) {
    return type == TokenType::kControl || type == TokenType::kUnknown ||
           type == TokenType::kUserDefined;
  });
}

SpecialMatcher match_plain_user_defined(const Vocabulary& vocab) {
  return match_tokens(vocab, [](TokenType type, std::string_view text) {
    return type == TokenType::kUserDefined && is_plain_text(text);
  });
}

}  // namespace edgelm::text
