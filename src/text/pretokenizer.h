#pragma once
// Cuts text into words before byte-level BPE, by the patterns that belong to a vocabulary's
// tokenizer.ggml.pre. Patterns run in PCRE2; a pre-tokenizer is one or several of them, each
// cutting the pieces that the one before left.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace edgelm::text {

class PreTokenizer {
 public:
  // kUnsupported, naming the known ones, when `name` is not in the table (pretokenizer_patterns.h).
  static Result<PreTokenizer> create(std::string_view name);

  PreTokenizer(PreTokenizer&&) noexcept;
  PreTokenizer& operator=(PreTokenizer&&) noexcept;
  ~PreTokenizer();

  // Appends where the words of `text` end, in order; the words cover the text. `text` must be valid
  // UTF-8. Safe from several threads. kLimit when PCRE2 gives up on the text.
  Status split(std::string_view text, std::vector<std::size_t>& ends) const;

  // A word that is a token becomes that token even where merges lead elsewhere ("ignore_merges").
  [[nodiscard]] bool whole_words_first() const { return whole_words_first_; }
  // Whether a file without add_bos_token means "true".
  [[nodiscard]] bool adds_bos() const { return adds_bos_; }

 private:
  class Step;

  PreTokenizer();
  std::vector<Step> steps_;
  bool whole_words_first_ = false;
  bool adds_bos_ = false;
};

}  // namespace edgelm::text
