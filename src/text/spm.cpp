// SentencePiece BPE; see spm.h.

#include "text/spm.h"

#include <bit>

#include "text/bpe_merge.h"
#include "text/unicode.h"

namespace edgelm::text {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // U+2581

// A score as an integer that grows as the score falls; equal scores give equal numbers.
std::uint32_t order_of(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score == 0.0F ? 0.0F : score);
  const std::uint32_t ascending = (bits & 0x80000000U) != 0 ? ~bits : bits | 0x80000000U;
  return ~ascending;  // infinity gives 0x007fffff, so kNoMerge stays free
}

// `text` with U+2581 written as the space it stands for.
std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t at = text.find(kSpaceSymbol);
    out.append(text.substr(0, at));
    if (at == std::string_view::npos) break;
    out.push_back(' ');
    text.remove_prefix(at + kSpaceSymbol.size());
  }
  return out;
}

}  // namespace

struct SpmTokenizer::Session {
  std::vector<TokenId>& out;
  std::vector<Symbol> symbols;
  MergeScratch scratch;
};

Result<std::unique_ptr<Tokenizer>> SpmTokenizer::create(const formats::GgufFile& file) {
  EDGELM_TRY_ASSIGN(Vocabulary vocab,
                    Vocabulary::load(file, VocabFamily::kSentencePiece, /*default_add_bos=*/true));
  EDGELM_TRY_ASSIGN(const bool add_space, file.boolean_or("tokenizer.ggml.add_space_prefix", true));
  return std::make_unique<SpmTokenizer>(std::move(vocab), add_space);
}

SpmTokenizer::SpmTokenizer(Vocabulary vocabulary, bool add_space_prefix)
    : VocabularyTokenizer(std::move(vocabulary)),
      ids_(vocab().size()),
      joined_(65536, false),
      add_space_prefix_(add_space_prefix) {
  byte_ids_.fill(kNoToken);
  pieces_.reserve(vocab().size(), vocab().size() * std::size_t{8});
  order_.reserve(vocab().size());
  for (TokenId id = 0; vocab().contains(id); ++id) {
    const TokenType kind = vocab().type(id);
    order_.push_back(order_of(vocab().score(id)));
    if (kind == TokenType::kByte) {
      const unsigned char byte = vocab().byte_of(id);
      const char piece = static_cast<char>(byte);
      pieces_.push_back({&piece, 1});
      if (byte_ids_[byte] == kNoToken) byte_ids_[byte] = id;
      continue;
    }
    // A user-defined token is matched and printed as it is written.
    pieces_.push_back(kind == TokenType::kUserDefined ? std::string(vocab().text(id))
                                                      : unescaped(vocab().text(id)));
    if ((kind != TokenType::kNormal && kind != TokenType::kUnused) || pieces_[id].empty()) continue;
    ids_.insert(pieces_, id);
    const std::string_view piece = pieces_[id];
    for (std::size_t i = 1; i < piece.size(); ++i) {
      joined_[std::size_t{static_cast<unsigned char>(piece[i - 1])} * 256 +
              static_cast<unsigned char>(piece[i])] = true;
    }
  }
}

Status SpmTokenizer::encode_plain(std::string_view text, bool starts_text,
                                  std::vector<TokenId>& out) const {
  std::string prefixed;
  if (starts_text && add_space_prefix_) {
    prefixed.reserve(text.size() + 1);
    prefixed.push_back(' ');
    prefixed.append(text);
    text = prefixed;
  }
  Session session{out, {}, {}};
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    at += std::max(utf8_length(text.substr(at)), std::size_t{1});
    if (at == text.size() ||
        !joins(static_cast<unsigned char>(text[at - 1]), static_cast<unsigned char>(text[at]))) {
      encode_word(text.substr(begin, at - begin), session);
      begin = at;
    }
  }
  return {};
}

void SpmTokenizer::encode_word(std::string_view word, Session& session) const {
  std::vector<Symbol>& symbols = session.symbols;
  symbols.clear();
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t length = std::max(utf8_length(word.substr(at)), std::size_t{1});
    symbols.push_back(
        {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(length), kNoToken});
    at += length;
  }
  merge_symbols(
      symbols,
      [this, word](const Symbol& left, const Symbol& right) -> Merge {
        const std::size_t length = std::size_t{left.length} + right.length;
        if (length > pieces_.longest()) return {};
        const TokenId id = ids_.find(pieces_, word.substr(left.begin, length));
        if (id == kNoToken) return {};
        return {order_[static_cast<std::size_t>(id)], id};
      },
      session.scratch);
  for (const Symbol& symbol : symbols) {
    const std::string_view piece = word.substr(symbol.begin, symbol.length);
    const TokenId id = symbol.id != kNoToken ? symbol.id : ids_.find(pieces_, piece);
    if (id != kNoToken) {
      session.out.push_back(id);
    } else {
      emit_bytes(piece, session.out);
    }
  }
}

void SpmTokenizer::emit_bytes(std::string_view character, std::vector<TokenId>& out) const {
  for (const char byte : character) {
    if (byte_ids_[static_cast<unsigned char>(byte)] != kNoToken) continue;
    // U+2581 in the text itself: byte tokens keep it apart from a space; without them it is one.
    TokenId id = character == kSpaceSymbol ? ids_.find(pieces_, " ") : kNoToken;
    if (id == kNoToken) id = special().unk;
    if (id != kNoToken) out.push_back(id);
    return;
  }
  for (const char byte : character) out.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
}

std::string_view SpmTokenizer::plain_piece(TokenId id, bool first) const {
  std::string_view piece = pieces_[id];
  if (first && add_space_prefix_ && vocab().type(id) != TokenType::kUserDefined &&
      piece.starts_with(' ')) {
    piece.remove_prefix(1);
  }
  return piece;
}

}  // namespace edgelm::text
