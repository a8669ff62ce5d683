#pragma once
// Prompts of a wanted length: plain English words in seeded order, as a tokenizer meets them, of
// which no two are alike. For the time to the first token, on this engine and on servers.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "text/tokenizer.h"

namespace edgelm::measure {

// `n_words` words; the same for the same seed.
std::string words(std::uint32_t n_words, std::uint64_t seed);

struct Prompt {
  std::string text;
  std::vector<text::TokenId> ids;  // exactly as many as were asked for
};

// A text that gives at least `n_tokens` ids and hardly more; the ids are cut to n_tokens.
Result<Prompt> prompt_of(const text::Tokenizer& tokenizer, std::uint32_t n_tokens,
                         std::uint64_t seed);

}  // namespace edgelm::measure
