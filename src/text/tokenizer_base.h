#pragma once
// What both tokenizer families share: the vocabulary, the special tokens around and inside a text,
// and the answers that come straight from the file. A family adds how plain text becomes ids.

#include <string_view>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizer_specials.h"
#include "text/vocab.h"

namespace edgelm::text {

class VocabularyTokenizer : public Tokenizer {
 public:
  explicit VocabularyTokenizer(Vocabulary vocab);
  VocabularyTokenizer(const VocabularyTokenizer&) = delete;
  VocabularyTokenizer& operator=(const VocabularyTokenizer&) = delete;

  [[nodiscard]] Result<std::vector<TokenId>> encode(std::string_view text,
                                                    EncodeOptions options) const override;
  void append_piece(TokenId id, bool first, bool show_special, std::string& out) const override;
  [[nodiscard]] std::uint32_t size() const override { return vocab_.size(); }
  [[nodiscard]] const SpecialTokens& special() const override { return vocab_.special(); }
  [[nodiscard]] TokenType type(TokenId id) const override;
  [[nodiscard]] std::string_view raw_piece(TokenId id) const override;
  [[nodiscard]] bool ends_generation(TokenId id) const override;
  [[nodiscard]] std::uint32_t longest_piece_bytes() const override;

 protected:
  // Encodes `text`, in which no special token is to be recognised any more. `starts_text` says that
  // nothing, or a special token, precedes it.
  virtual Status encode_plain(std::string_view text, bool starts_text,
                              std::vector<TokenId>& out) const = 0;
  // The bytes of a token that is neither control nor unknown.
  [[nodiscard]] virtual std::string_view plain_piece(TokenId id, bool first) const = 0;

  [[nodiscard]] const Vocabulary& vocab() const { return vocab_; }

 private:
  Vocabulary vocab_;
  SpecialMatcher asked_;   // where options.parse_special
  SpecialMatcher always_;  // otherwise
};

}  // namespace edgelm::text
