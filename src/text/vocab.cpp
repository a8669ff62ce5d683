// Reads and checks tokenizer.ggml.* of a GGUF file; see vocab.h. Keys: gguf.md, "Tokenizer".

#include "text/vocab.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <string>

namespace edgelm::text {
namespace {

using formats::GgufArray;
using formats::GgufFile;
using formats::GgufType;

// Far above every published vocabulary (260 thousand); keeps ids and tables small.
constexpr std::uint64_t kMaxTokens = 1U << 24;

// The array under `key`, or nothing when the file has no such key.
Result<std::optional<GgufArray>> optional_array(const GgufFile& file, std::string_view key,
                                                GgufType element_type, std::size_t n_tokens) {
  if (file.find(key) == nullptr) return std::nullopt;
  EDGELM_TRY_ASSIGN(GgufArray array, file.array(key, element_type));
  if (array.count != n_tokens) {
    return fail(ErrorCode::kFormat, "{}: {} has {} entries, tokenizer.ggml.tokens has {}",
                file.path(), key, array.count, n_tokens);
  }
  return std::optional(array);
}

// A token id stored under `key`. Absent, negative and 2^32-1 mean "none" (writers use all three).
Result<TokenId> optional_id(const GgufFile& file, std::string_view key, std::uint32_t n_tokens,
                            TokenId fallback) {
  const formats::GgufValue* value = file.find(key);
  if (value == nullptr)
    return fallback >= 0 && static_cast<std::uint32_t>(fallback) < n_tokens ? fallback : kNoToken;
  if (const auto* number = std::get_if<std::int64_t>(&value->value); number && *number < 0)
    return kNoToken;
  EDGELM_TRY_ASSIGN(const std::uint64_t id, file.u64(key));
  if (id == UINT32_MAX) return kNoToken;
  if (id >= n_tokens) {
    return fail(ErrorCode::kFormat, "{}: {} is {}, but the vocabulary has {} tokens", file.path(),
                key, id, n_tokens);
  }
  return static_cast<TokenId>(id);
}

bool is_byte_text(std::string_view text) {
  return text.size() == 6 && text.substr(0, 3) == "<0x" && text[5] == '>' &&
         std::isxdigit(static_cast<unsigned char>(text[3])) != 0 &&
         std::isxdigit(static_cast<unsigned char>(text[4])) != 0;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return (c | 0x20) - 'a' + 10;
}

bool names_phi3(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower.find("phi-3") != std::string::npos || lower.find("phi3") != std::string::npos;
}

}  // namespace

Result<Vocabulary> Vocabulary::load(const GgufFile& file, VocabFamily family,
                                    bool default_add_bos) {
  Vocabulary vocab;
  EDGELM_TRY(vocab.load_arrays(file));
  EDGELM_TRY(vocab.load_special(file, family, default_add_bos));
  if (!vocab.has_types_) vocab.infer_types();
  EDGELM_TRY(vocab.check_byte_tokens(file));
  vocab.find_end_tokens();
  EDGELM_TRY_ASSIGN(const std::string_view name, file.string_or("general.name", ""));
  vocab.strips_space_after_special_ = names_phi3(name);
  return vocab;
}

Status Vocabulary::load_arrays(const GgufFile& file) {
  constexpr std::string_view kTokens = "tokenizer.ggml.tokens";
  EDGELM_TRY_ASSIGN(const GgufArray tokens, file.array(kTokens, GgufType::kString));
  if (tokens.count == 0 || tokens.count > kMaxTokens) {
    return fail(ErrorCode::kFormat, "{}: {} has {} entries, expected 1 to {}", file.path(), kTokens,
                tokens.count, kMaxTokens);
  }
  const std::vector<std::string_view> texts = tokens.strings();
  texts_.reserve(texts.size(), tokens.data.size());
  for (const std::string_view text : texts) texts_.push_back(text);
  types_.assign(texts.size(), TokenType::kNormal);

  constexpr std::string_view kScores = "tokenizer.ggml.scores";
  EDGELM_TRY_ASSIGN(const auto scores, optional_array(file, kScores, GgufType::kF32, texts.size()));
  if (scores) {
    scores_.reserve(texts.size());
    for (const double score : scores->numbers()) {
      if (std::isnan(score)) {
        return fail(ErrorCode::kFormat, "{}: {}[{}] is not a number", file.path(), kScores,
                    scores_.size());
      }
      scores_.push_back(static_cast<float>(score));
    }
  }

  constexpr std::string_view kTypes = "tokenizer.ggml.token_type";
  EDGELM_TRY_ASSIGN(const auto types, optional_array(file, kTypes, GgufType::kI32, texts.size()));
  has_types_ = types.has_value();
  if (types) {
    std::size_t id = 0;
    for (const double type : types->numbers()) {
      if (type < 0 || type > 6) {
        return fail(ErrorCode::kFormat, "{}: {}[{}] is {}, expected 1 to 6", file.path(), kTypes,
                    id, type);
      }
      // 0, "undefined", is what some writers leave for ordinary tokens.
      if (type > 0) types_[id] = static_cast<TokenType>(type);
      ++id;
    }
  }
  return {};
}

Status Vocabulary::load_special(const GgufFile& file, VocabFamily family, bool default_add_bos) {
  const bool sentence_piece = family == VocabFamily::kSentencePiece;
  const auto id = [&](std::string_view key, TokenId fallback) {
    return optional_id(file, key, size(), fallback);
  };
  // Without keys, SentencePiece files follow LLaMA's numbering.
  EDGELM_TRY_ASSIGN(special_.bos, id("tokenizer.ggml.bos_token_id", sentence_piece ? 1 : -1));
  EDGELM_TRY_ASSIGN(special_.eos, id("tokenizer.ggml.eos_token_id", sentence_piece ? 2 : -1));
  EDGELM_TRY_ASSIGN(special_.unk, id("tokenizer.ggml.unknown_token_id", sentence_piece ? 0 : -1));
  EDGELM_TRY_ASSIGN(special_.eot, id("tokenizer.ggml.eot_token_id", kNoToken));
  EDGELM_TRY_ASSIGN(eom_, id("tokenizer.ggml.eom_token_id", kNoToken));
  // Published files carry padding ids past the end of their vocabulary; nothing depends on it.
  special_.pad = id("tokenizer.ggml.padding_token_id", kNoToken).value_or(kNoToken);

  constexpr std::string_view kAddBos = "tokenizer.ggml.add_bos_token";
  constexpr std::string_view kAddEos = "tokenizer.ggml.add_eos_token";
  EDGELM_TRY_ASSIGN(special_.add_bos,
                    file.boolean_or(kAddBos, default_add_bos && special_.bos != kNoToken));
  EDGELM_TRY_ASSIGN(special_.add_eos, file.boolean_or(kAddEos, false));
  if (special_.add_bos && special_.bos == kNoToken)
    return fail(ErrorCode::kFormat, "{}: {} is true, but there is no BOS token", file.path(),
                kAddBos);
  if (special_.add_eos && special_.eos == kNoToken)
    return fail(ErrorCode::kFormat, "{}: {} is true, but there is no EOS token", file.path(),
                kAddEos);
  return {};
}

void Vocabulary::infer_types() {
  for (TokenId id = 0; contains(id); ++id) {
    if (is_byte_text(text(id))) types_[static_cast<std::size_t>(id)] = TokenType::kByte;
  }
  for (const TokenId id : {special_.bos, special_.eos, special_.eot, special_.pad, eom_}) {
    if (id != kNoToken) types_[static_cast<std::size_t>(id)] = TokenType::kControl;
  }
  if (special_.unk != kNoToken)
    types_[static_cast<std::size_t>(special_.unk)] = TokenType::kUnknown;
}

Status Vocabulary::check_byte_tokens(const GgufFile& file) const {
  for (TokenId id = 0; contains(id); ++id) {
    if (type(id) == TokenType::kByte && !is_byte_text(text(id))) {
      return fail(ErrorCode::kFormat, "{}: token {} is a byte token, but not written <0xXX>",
                  file.path(), id);
    }
  }
  return {};
}

unsigned char Vocabulary::byte_of(TokenId id) const {
  const std::string_view digits = text(id).substr(3, 2);
  return static_cast<unsigned char>(hex_digit(digits[0]) * 16 + hex_digit(digits[1]));
}

bool Vocabulary::strips_space_after(TokenId id) const {
  if (!strips_space_after_special_) return false;
  const std::string_view name = text(id);
  return name != "<unk>" && name != "<s>" && name != "<|endoftext|>";
}

}  // namespace edgelm::text
