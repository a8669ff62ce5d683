// Words in seeded order.

#include "measure/prompt_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/random.h"

namespace edgelm::measure {
namespace {

constexpr std::array<std::string_view, 64> kWords = {
    "the",    "house",   "of",    "a",       "river", "and",    "small",  "village",
    "in",     "morning", "light", "that",    "stood", "before", "them",   "when",
    "people", "came",    "to",    "market",  "with",  "bread",  "water",  "old",
    "man",    "who",     "had",   "never",   "seen",  "such",   "winter", "as",
    "this",   "one",     "but",   "they",    "knew",  "each",   "other",  "well",
    "so",     "went",    "on",    "walking", "until", "night",  "fell",   "over",
    "hills",  "there",   "was",   "no",      "sound", "except", "wind",   "trees",
    "far",    "from",    "road",  "where",   "she",   "found",  "it",     "again"};

}  // namespace

std::string words(std::uint32_t n_words, std::uint64_t seed) {
  std::string text;
  text.reserve(std::size_t{n_words} * 6);
  for (std::uint32_t i = 0; i < n_words; ++i) {
    if (i > 0) text += i % 13 == 0 ? ". " : " ";
    text += kWords[random_bits(seed, i) % kWords.size()];
  }
  return text;
}

Result<Prompt> prompt_of(const text::Tokenizer& tokenizer, std::uint32_t n_tokens,
                         std::uint64_t seed) {
  Prompt prompt;
  std::uint32_t n_words = std::max(n_tokens, 1U);
  for (int attempt = 0; attempt < 8; ++attempt) {
    prompt.text = words(n_words, seed);
    EDGELM_TRY_ASSIGN(prompt.ids, tokenizer.encode(prompt.text, {}));
    const std::size_t got = prompt.ids.size();
    if (got >= n_tokens && got <= n_tokens + n_tokens / 20 + 2) break;
    const double per_word = std::max(static_cast<double>(got) / n_words, 0.05);
    const auto better =
        static_cast<std::uint32_t>(std::ceil(static_cast<double>(n_tokens) / per_word)) +
        static_cast<std::uint32_t>(attempt);
    if (better == n_words) break;
    n_words = std::max(better, 1U);
  }
  if (prompt.ids.size() < n_tokens)
    return fail(ErrorCode::kUnsupported, "a text of {} words gives {} tokens, {} are wanted",
                n_words, prompt.ids.size(), n_tokens);
  prompt.ids.resize(n_tokens);
  return prompt;
}

}  // namespace edgelm::measure
