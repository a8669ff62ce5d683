#pragma once
// SentencePiece's BPE as GGUF's "llama" vocabularies use it (Kudo and Richardson 2018): symbols are
// characters, pairs merge by the score of the token they form, what forms no token is written in
// byte tokens <0xXX>. Spaces are stored as U+2581, and one is added before a text. LLaMA, Mistral,
// Gemma, TinyLlama, Phi-3.

#include <array>
#include <memory>
#include <vector>

#include "text/tokenizer_base.h"
#include "text/vocab_pieces.h"

namespace edgelm::text {

class SpmTokenizer final : public VocabularyTokenizer {
 public:
  static Result<std::unique_ptr<Tokenizer>> create(const formats::GgufFile& file);
  explicit SpmTokenizer(Vocabulary vocab, bool add_space_prefix);

 private:
  struct Session;

  Status encode_plain(std::string_view text, bool starts_text,
                      std::vector<TokenId>& out) const override;
  [[nodiscard]] std::string_view plain_piece(TokenId id, bool first) const override;
  // Whether some token has these two bytes side by side: where none has, no merge can cross.
  [[nodiscard]] bool joins(unsigned char left, unsigned char right) const {
    return joined_[std::size_t{left} * 256 + right];
  }
  void encode_word(std::string_view word, Session& session) const;
  void emit_bytes(std::string_view character, std::vector<TokenId>& out) const;

  PieceTable pieces_;                 // as decoded: U+2581 became a space, <0xXX> a byte
  PieceMap ids_;                      // ordinary tokens by piece
  std::vector<std::uint32_t> order_;  // merge order by id: lower means a higher score
  std::vector<bool> joined_;          // 65536 bits
  std::array<TokenId, 256> byte_ids_{};
  bool add_space_prefix_;
};

}  // namespace edgelm::text
