#pragma once
// Tokenizers built from a GGUF file's metadata: text <-> token ids. Immutable after construction
// and safe to use from several threads.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/gguf.h"

namespace edgelm::text {

using TokenId = std::int32_t;
constexpr TokenId kNoToken = -1;

// tokenizer.ggml.token_type
enum class TokenType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct EncodeOptions {
  bool add_special = true;  // BOS / EOS as the file's add_bos_token / add_eos_token say
  // Recognise control and user-defined tokens written in the text. Without it plain text never
  // gives a control token; user-defined tokens that are white space or one character are part of
  // plain text (their models were trained so) and recognised always.
  bool parse_special = false;
};

struct SpecialTokens {
  TokenId bos = kNoToken;
  TokenId eos = kNoToken;
  TokenId eot = kNoToken;  // end of turn
  TokenId unk = kNoToken;
  TokenId pad = kNoToken;
  bool add_bos = false;
  bool add_eos = false;
};

class Tokenizer {
 public:
  // Fails with kFormat / kUnsupported when the vocabulary is inconsistent or of an unknown family.
  // Copies what it needs: the file may be closed.
  static Result<std::unique_ptr<Tokenizer>> from_gguf(const formats::GgufFile& file);
  virtual ~Tokenizer() = default;

  // Any bytes are accepted; invalid UTF-8 is encoded so that decode() gives the same bytes back
  // where the vocabulary has byte tokens.
  [[nodiscard]] virtual Result<std::vector<TokenId>> encode(std::string_view text,
                                                            EncodeOptions options) const = 0;

  // Appends the bytes of one token. Control tokens print nothing unless `show_special`.
  // `first` says that the token opens a text (SentencePiece drops the space it added there).
  virtual void append_piece(TokenId id, bool first, bool show_special, std::string& out) const = 0;

  [[nodiscard]] std::string decode(std::span<const TokenId> ids, bool show_special = false) const;

  [[nodiscard]] virtual std::uint32_t size() const = 0;
  [[nodiscard]] virtual const SpecialTokens& special() const = 0;
  [[nodiscard]] virtual TokenType type(TokenId id) const = 0;
  [[nodiscard]] virtual std::string_view raw_piece(TokenId id) const = 0;  // as stored in the file

  // EOS, EOT, EOM and the vocabulary's other end-of-turn tokens (<|im_end|>, <|eot_id|>, ...).
  [[nodiscard]] virtual bool ends_generation(TokenId id) const = 0;
  // Length in bytes of the longest piece: a bound for streaming buffers.
  [[nodiscard]] virtual std::uint32_t longest_piece_bytes() const = 0;
};

}  // namespace edgelm::text
