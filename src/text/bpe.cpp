// Byte-level BPE; see bpe.h.

#include "text/bpe.h"

#include <algorithm>

#include "text/unicode.h"

namespace edgelm::text {
namespace {

constexpr std::string_view kMerges = "tokenizer.ggml.merges";
constexpr std::uint64_t kMaxMerges = 1U << 24;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

struct BpeTokenizer::Session {
  std::vector<TokenId>& out;
  std::vector<Symbol> symbols;
  MergeScratch scratch;
};

Result<std::unique_ptr<Tokenizer>> BpeTokenizer::create(const formats::GgufFile& file) {
  // Files from before pre-tokenizers had names follow "default".
  EDGELM_TRY_ASSIGN(const std::string_view name, file.string_or("tokenizer.ggml.pre", "default"));
  auto pre_tokenizer = PreTokenizer::create(name);
  if (!pre_tokenizer) {
    return fail(pre_tokenizer.error().code, "{}: tokenizer.ggml.pre: {}", file.path(),
                pre_tokenizer.error().message);
  }
  EDGELM_TRY_ASSIGN(Vocabulary vocab,
                    Vocabulary::load(file, VocabFamily::kByteLevelBpe, pre_tokenizer->adds_bos()));
  auto tokenizer = std::make_unique<BpeTokenizer>(std::move(vocab), std::move(*pre_tokenizer));
  EDGELM_TRY(tokenizer->load_merges(file));
  return tokenizer;
}

BpeTokenizer::BpeTokenizer(Vocabulary vocabulary, PreTokenizer pre_tokenizer)
    : VocabularyTokenizer(std::move(vocabulary)),
      pre_tokenizer_(std::move(pre_tokenizer)),
      ids_(vocab().size()) {
  pieces_.reserve(vocab().size(), vocab().size() * std::size_t{8});
  std::vector<TokenId> user_defined;
  std::string piece;
  for (TokenId id = 0; vocab().contains(id); ++id) {
    const TokenType kind = vocab().type(id);
    piece.clear();
    bool spelled = false;  // whether the token stands for bytes of plain text
    if (kind == TokenType::kByte) {
      piece.push_back(static_cast<char>(vocab().byte_of(id)));
      spelled = true;
    } else if (kind == TokenType::kNormal || kind == TokenType::kUnused) {
      spelled = append_byte_alphabet(vocab().text(id), piece);
    }
    if (!spelled) piece.assign(vocab().text(id));
    pieces_.push_back(piece);
    if (piece.empty()) continue;
    if (spelled) ids_.insert(pieces_, id);
    if (kind == TokenType::kUserDefined) user_defined.push_back(id);
  }
  // Tokens that a merge makes may be marked user-defined too (runs of spaces in GPT-NeoX's
  // vocabulary); an ordinary token of the same bytes goes first.
  for (const TokenId id : user_defined) ids_.insert(pieces_, id);
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    const char text = static_cast<char>(byte);
    byte_ids_[byte] = ids_.find(pieces_, {&text, 1});
  }
}

Status BpeTokenizer::load_merges(const formats::GgufFile& file) {
  EDGELM_TRY_ASSIGN(const formats::GgufArray array,
                    file.array(kMerges, formats::GgufType::kString));
  if (array.count > kMaxMerges) {
    return fail(ErrorCode::kFormat, "{}: {} has {} entries, expected at most {}", file.path(),
                kMerges, array.count, kMaxMerges);
  }
  merges_ = MergeTable(array.count);
  std::string bytes;
  std::uint32_t rank = 0;
  for (const std::string_view line : array.strings()) {
    // "left right"; a symbol may itself start with a space in vocabularies of unusual alphabets.
    const std::size_t space = line.find(' ', 1);
    if (space == std::string_view::npos || space + 1 == line.size()) {
      return fail(ErrorCode::kFormat, "{}: {}[{}] is not two symbols with a space between them",
                  file.path(), kMerges, rank);
    }
    bytes.clear();
    const std::uint32_t order = rank++;
    if (!append_byte_alphabet(line.substr(0, space), bytes)) continue;
    const std::size_t left_bytes = bytes.size();
    if (!append_byte_alphabet(line.substr(space + 1), bytes)) continue;
    const std::string_view both = bytes;
    const TokenId left = ids_.find(pieces_, both.substr(0, left_bytes));
    const TokenId right = ids_.find(pieces_, both.substr(left_bytes));
    const TokenId merged = ids_.find(pieces_, both);
    // Merges of symbols that are no tokens exist in published files; they cannot come to pass.
    if (left == kNoToken || right == kNoToken || merged == kNoToken) continue;
    merges_.insert(left, right, {order, merged});
  }
  Session session{replacement_, {}, {}};
  const bool has_replacement = std::all_of(
      kReplacement.begin(), kReplacement.end(),
      [this](char byte) { return byte_ids_[static_cast<unsigned char>(byte)] != kNoToken; });
  if (has_replacement) encode_word(kReplacement, session);
  return {};
}

Status BpeTokenizer::encode_plain(std::string_view text, bool /*starts_text*/,
                                  std::vector<TokenId>& out) const {
  Session session{out, {}, {}};
  std::vector<std::size_t> ends;
  while (!text.empty()) {
    const std::string_view valid = text.substr(0, valid_utf8_prefix(text));
    if (!valid.empty()) {
      ends.clear();
      EDGELM_TRY(pre_tokenizer_.split(valid, ends));
      std::size_t begin = 0;
      for (const std::size_t end : ends) {
        encode_word(valid.substr(begin, end - begin), session);
        begin = end;
      }
      text.remove_prefix(valid.size());
    }
    // Bytes that are no text form a word of their own.
    std::size_t invalid = 0;
    while (invalid < text.size() && utf8_length(text.substr(invalid)) == 0) ++invalid;
    if (invalid > 0) encode_word(text.substr(0, invalid), session);
    text.remove_prefix(invalid);
  }
  return {};
}

void BpeTokenizer::encode_word(std::string_view word, Session& session) const {
  if (pre_tokenizer_.whole_words_first() && word.size() <= pieces_.longest()) {
    const TokenId id = ids_.find(pieces_, word);
    if (id != kNoToken) {
      session.out.push_back(id);
      return;
    }
  }
  merge_word(word, session);
}

void BpeTokenizer::merge_word(std::string_view word, Session& session) const {
  std::vector<Symbol>& symbols = session.symbols;
  symbols.clear();
  for (std::uint32_t at = 0; at < word.size(); ++at)
    symbols.push_back({at, 1, byte_ids_[static_cast<unsigned char>(word[at])]});
  merge_symbols(
      symbols,
      [this](const Symbol& left, const Symbol& right) -> Merge {
        if (left.id == kNoToken || right.id == kNoToken) return {};
        return merges_.find(left.id, right.id);
      },
      session.scratch);
  for (const Symbol& symbol : symbols) {
    if (symbol.id != kNoToken) {
      session.out.push_back(symbol.id);
    } else {
      emit_missing(session.out);
    }
  }
}

// A byte without a token cannot be given back: say so with the vocabulary's unknown token, or with
// U+FFFD; a vocabulary that has neither drops it.
void BpeTokenizer::emit_missing(std::vector<TokenId>& out) const {
  if (special().unk != kNoToken) {
    out.push_back(special().unk);
  } else {
    out.insert(out.end(), replacement_.begin(), replacement_.end());
  }
}

std::string_view BpeTokenizer::plain_piece(TokenId id, bool /*first*/) const { return pieces_[id]; }

}  // namespace edgelm::text
