// Choice of the family, and what the families share; see tokenizer.h and tokenizer_base.h.

#include "text/tokenizer.h"

#include "text/bpe.h"
#include "text/spm.h"
#include "text/tokenizer_base.h"

namespace edgelm::text {
namespace {

// Positions inside a word are 32 bits wide.
constexpr std::size_t kMaxTextBytes = std::size_t{1} << 31;

bool is_marker(TokenType type) {
  return type == TokenType::kControl || type == TokenType::kUnknown;
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> Tokenizer::from_gguf(const formats::GgufFile& file) {
  constexpr std::string_view kModel = "tokenizer.ggml.model";
  EDGELM_TRY_ASSIGN(const std::string_view model, file.string(kModel));
  if (model == "llama") return SpmTokenizer::create(file);
  if (model == "gpt2") return BpeTokenizer::create(file);
  return fail(ErrorCode::kUnsupported, "{}: {} is '{:.64}', supported are 'llama' and 'gpt2'",
              file.path(), kModel, model);
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool show_special) const {
  std::string out;
  bool first = true;
  for (const TokenId id : ids) {
    append_piece(id, first, show_special, out);
    // encode() adds its space after special tokens too, so it is dropped there again.
    const bool known = id >= 0 && static_cast<std::uint32_t>(id) < size();
    first = known && (is_marker(type(id)) || type(id) == TokenType::kUserDefined);
  }
  return out;
}

VocabularyTokenizer::VocabularyTokenizer(Vocabulary vocab)
    : vocab_(std::move(vocab)),
      asked_(match_all_special(vocab_)),
      always_(match_plain_user_defined(vocab_)) {}

Result<std::vector<TokenId>> VocabularyTokenizer::encode(std::string_view text,
                                                         EncodeOptions options) const {
  if (text.size() > kMaxTextBytes) {
    return fail(ErrorCode::kLimit, "text of {} bytes: at most {} can be tokenized at once",
                text.size(), kMaxTextBytes);
  }
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 3 + 2);
  if (options.add_special && special().add_bos) ids.push_back(special().bos);
  const SpecialMatcher& matcher = options.parse_special ? asked_ : always_;
  bool starts_text = true;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto match = matcher.find(text, at);
    const std::size_t end = match ? match->begin : text.size();
    if (end > at) {
      EDGELM_TRY(encode_plain(text.substr(at, end - at), starts_text, ids));
      starts_text = false;
    }
    at = end;
    if (!match) break;
    ids.push_back(match->id);
    starts_text = true;
    at += match->length;
    if (vocab_.strips_space_after(match->id)) {
      at = std::min(text.find_first_not_of(" \t\n\v\f\r", at), text.size());
    }
  }
  if (options.add_special && special().add_eos) ids.push_back(special().eos);
  return ids;
}

void VocabularyTokenizer::append_piece(TokenId id, bool first, bool show_special,
                                       std::string& out) const {
  if (!vocab_.contains(id)) return;
  if (is_marker(vocab_.type(id))) {
    if (show_special) out.append(vocab_.text(id));
  } else {
    out.append(plain_piece(id, first));
  }
}

TokenType VocabularyTokenizer::type(TokenId id) const {
  return vocab_.contains(id) ? vocab_.type(id) : TokenType::kUnused;
}

std::string_view VocabularyTokenizer::raw_piece(TokenId id) const {
  return vocab_.contains(id) ? vocab_.text(id) : std::string_view();
}

bool VocabularyTokenizer::ends_generation(TokenId id) const {
  return vocab_.contains(id) && vocab_.ends_generation(id);
}

std::uint32_t VocabularyTokenizer::longest_piece_bytes() const {
  // No piece is longer than its text in the file: the byte alphabet and U+2581 only shrink.
  return static_cast<std::uint32_t>(vocab_.longest_text_bytes());
}

}  // namespace edgelm::text
