#pragma once
// Byte-level BPE as GGUF's "gpt2" vocabularies use it (Radford 2019): a pre-tokenizer cuts the text
// into words, each word starts as its bytes, and pairs merge in the order of the file's merge list.
// GPT-2, LLaMA 3, Qwen, Falcon, DeepSeek, SmolLM and most others.

#include <array>
#include <memory>
#include <vector>

#include "text/bpe_merge.h"
#include "text/bpe_pairs.h"
#include "text/pretokenizer.h"
#include "text/tokenizer_base.h"
#include "text/vocab_pieces.h"

namespace edgelm::text {

class BpeTokenizer final : public VocabularyTokenizer {
 public:
  static Result<std::unique_ptr<Tokenizer>> create(const formats::GgufFile& file);
  BpeTokenizer(Vocabulary vocab, PreTokenizer pre_tokenizer);

 private:
  struct Session;

  Status load_merges(const formats::GgufFile& file);
  Status encode_plain(std::string_view text, bool starts_text,
                      std::vector<TokenId>& out) const override;
  [[nodiscard]] std::string_view plain_piece(TokenId id, bool first) const override;
  void encode_word(std::string_view word, Session& session) const;
  void merge_word(std::string_view word, Session& session) const;
  void emit_missing(std::vector<TokenId>& out) const;

  PreTokenizer pre_tokenizer_;
  PieceTable pieces_;  // as decoded: the bytes each token stands for
  PieceMap ids_;       // tokens that plain text may become, by their bytes
  MergeTable merges_;
  std::array<TokenId, 256> byte_ids_{};
  std::vector<TokenId> replacement_;  // U+FFFD, for a byte that the vocabulary lacks
};

}  // namespace edgelm::text
