#pragma once
// What a GGUF file says about its vocabulary, checked: strings, types, scores, special tokens and
// the tokens that end a generation. Both tokenizer families are built on it. Owns its strings, so
// that the file may be closed.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/gguf.h"
#include "text/tokenizer.h"
#include "text/vocab_pieces.h"

namespace edgelm::text {

// tokenizer.ggml.model
enum class VocabFamily : std::uint8_t {
  kSentencePiece,  // "llama"
  kByteLevelBpe,   // "gpt2"
};

class Vocabulary {
 public:
  // `default_add_bos` holds when the file has no add_bos_token (and a BOS token exists).
  static Result<Vocabulary> load(const formats::GgufFile& file, VocabFamily family,
                                 bool default_add_bos);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(types_.size()); }
  [[nodiscard]] bool contains(TokenId id) const {
    return id >= 0 && static_cast<std::uint32_t>(id) < size();
  }
  // The accessors below ask for an id that the vocabulary contains.
  [[nodiscard]] std::string_view text(TokenId id) const { return texts_[id]; }
  [[nodiscard]] TokenType type(TokenId id) const { return types_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] float score(TokenId id) const {
    return scores_.empty() ? 0.0F : scores_[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] bool ends_generation(TokenId id) const {
    return ends_generation_[static_cast<std::size_t>(id)];
  }
  // White space after this special token in a text is dropped (Phi-3's "rstrip", which GGUF does
  // not store: it goes by general.name, as in llama.cpp).
  [[nodiscard]] bool strips_space_after(TokenId id) const;

  [[nodiscard]] const SpecialTokens& special() const { return special_; }
  [[nodiscard]] std::size_t longest_text_bytes() const { return texts_.longest(); }
  // The byte that a kByte token <0xXX> stands for.
  [[nodiscard]] unsigned char byte_of(TokenId id) const;

 private:
  Status load_arrays(const formats::GgufFile& file);
  Status load_special(const formats::GgufFile& file, VocabFamily family, bool default_add_bos);
  void infer_types();      // for a file without tokenizer.ggml.token_type
  void find_end_tokens();  // vocab_special.cpp
  Status check_byte_tokens(const formats::GgufFile& file) const;

  PieceTable texts_;
  std::vector<TokenType> types_;
  std::vector<float> scores_;  // empty when the file has none
  std::vector<bool> ends_generation_;
  SpecialTokens special_;
  TokenId eom_ = kNoToken;  // end of message, where a turn may go on
  bool has_types_ = false;
  bool strips_space_after_special_ = false;
};

}  // namespace edgelm::text
