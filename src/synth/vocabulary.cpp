// Tokens, types, scores and merges; see vocabulary.h. The byte-to-character map of byte-level BPE
// is that of GPT-2's encoder.py (Radford et al. 2019): printable Latin-1 bytes stand for
// themselves, the others follow from U+0100, so that a space is U+0120.

#include "synth/vocabulary.h"

#include <optional>
#include <string>
#include <vector>

namespace edgelm::synth {
namespace {

enum TokenType : std::int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kUnused = 5, kByte = 6 };

// What is particular to a kind.
struct Scheme {
  bool sentence_piece = false;
  std::string_view pre;             // tokenizer.ggml.pre
  std::uint32_t first_special = 0;  // id of the first of `specials`
  std::vector<std::string_view> specials;
  std::uint32_t end_special = 0;  // ids up to here have no other use
  std::uint32_t bos = 0;
  std::uint32_t eos = 0;
  bool add_bos = false;
};

// Ids as in the tokenizer_config.json of the published models; eos is what ends a turn.
Scheme scheme_of(const ModelShape& shape) {
  switch (shape.vocabulary) {
    case VocabularyKind::kLlama3:
      return {.pre = "llama-bpe",
              .first_special = 128000,
              .specials = {"<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>",
                           "<|reserved_special_token_1|>", "<|finetune_right_pad_id|>",
                           "<|reserved_special_token_2|>", "<|start_header_id|>",
                           "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"},
              .end_special = shape.n_vocab,
              .bos = 128000,
              .eos = 128009,
              .add_bos = true};
    case VocabularyKind::kQwen:
      return {.pre = "qwen2",
              .first_special = 151643,
              .specials = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"},
              .end_special = shape.n_vocab,
              .bos = 151643,
              .eos = 151645};
    case VocabularyKind::kDeepSeekQwen:
      return {.pre = "deepseek-r1-qwen",
              .first_special = 151643,
              .specials = {"<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>",
                           "<｜begin▁of▁sentence｜>"},
              .end_special = shape.n_vocab,
              .bos = 151646,
              .eos = 151643,
              .add_bos = true};
    case VocabularyKind::kSmolLm:
      return {.pre = "smollm",
              .specials = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"},
              .end_special = 3,
              .bos = 1,
              .eos = 2};
    case VocabularyKind::kSentencePiece:
      break;
  }
  return {.sentence_piece = true,
          .pre = "default",
          .specials = {"<unk>", "<s>", "</s>"},
          .end_special = 3,
          .bos = 1,
          .eos = 2,
          .add_bos = true};
}

std::string two_byte_utf8(unsigned code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
}

// The ordinary tokens one after the other: 256 bytes, then pieces of a growing number of letters.
// The first letter of a piece may be the space.
class Pieces {
 public:
  explicit Pieces(bool sentence_piece) : sentence_piece_(sentence_piece) {}

  struct Piece {
    std::string text;
    TokenType type = kNormal;
    std::string merge;  // what a BPE merges into it; empty when nothing does
  };

  Piece next() {
    if (byte_ < 256) return byte_piece(byte_++);
    // Single letters are among a byte-level alphabet already.
    if (n_letters_ == 0) n_letters_ = sentence_piece_ ? 1 : 2;
    std::uint32_t rest = number_++;
    if (number_ == kFirstLetters * power(n_letters_ - 1)) {
      number_ = 0;
      ++n_letters_;
      return letters(rest, n_letters_ - 1);
    }
    return letters(rest, n_letters_);
  }

 private:
  static constexpr std::uint32_t kLetters = 26;
  static constexpr std::uint32_t kFirstLetters = kLetters + 1;
  // Longer ones are in the vocabulary for its size alone: a table of merges for all of them would
  // take longer to read than most weights to load.
  static constexpr std::uint32_t kMergedLetters = 3;

  static std::uint32_t power(std::uint32_t n) {
    std::uint32_t value = 1;
    for (std::uint32_t i = 0; i < n; ++i) value *= kLetters;
    return value;
  }

  [[nodiscard]] Piece byte_piece(unsigned byte) {
    if (sentence_piece_) return {fmt::format("<0x{:02X}>", byte), kByte, {}};
    const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
    return {two_byte_utf8(printable ? byte : stand_in_++), kNormal, {}};
  }

  [[nodiscard]] Piece letters(std::uint32_t number, std::uint32_t n) const {
    std::string tail(n - 1, 'a');
    for (std::uint32_t i = n - 1; i-- > 0; number /= kLetters)
      tail[i] = static_cast<char>('a' + number % kLetters);
    const char* const space = sentence_piece_ ? "\xe2\x96\x81" : "\xc4\xa0";
    const std::string head =
        number == 0 ? std::string(space) : std::string(1, static_cast<char>('a' + number - 1));
    Piece piece{head + tail, kNormal, {}};
    if (!sentence_piece_ && n <= kMergedLetters)
      piece.merge = fmt::format("{}{} {}", head, tail.substr(0, n - 2), tail.back());
    return piece;
  }

  bool sentence_piece_;
  unsigned byte_ = 0;
  unsigned stand_in_ = 0x100;
  std::uint32_t n_letters_ = 0;
  std::uint32_t number_ = 0;
};

}  // namespace

void add_vocabulary(const ModelShape& shape, formats::GgufWriter& writer) {
  const Scheme scheme = scheme_of(shape);
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  std::vector<float> scores;
  std::vector<std::string> merges;
  tokens.reserve(shape.n_vocab);
  types.reserve(shape.n_vocab);
  scores.reserve(scheme.sentence_piece ? shape.n_vocab : 0);
  merges.reserve(shape.n_vocab);
  Pieces pieces(scheme.sentence_piece);
  for (std::uint32_t id = 0; id < shape.n_vocab; ++id) {
    const std::uint32_t special = id - scheme.first_special;  // wraps below it, to no special
    if (id >= scheme.first_special && special < scheme.specials.size()) {
      tokens.emplace_back(scheme.specials[special]);
      types.push_back(scheme.sentence_piece && special == 0 ? kUnknown : kControl);
    } else if (id >= scheme.first_special && id < scheme.end_special) {
      tokens.push_back(fmt::format("[PAD{}]", id));
      types.push_back(kUnused);
    } else {
      Pieces::Piece piece = pieces.next();
      tokens.push_back(std::move(piece.text));
      types.push_back(piece.type);
      if (!piece.merge.empty()) merges.push_back(std::move(piece.merge));
    }
    if (scheme.sentence_piece)
      scores.push_back(types.back() == kNormal ? -static_cast<float>(id) : 0.0F);
  }
  writer.set("tokenizer.ggml.model", scheme.sentence_piece ? "llama" : "gpt2");
  writer.set("tokenizer.ggml.pre", scheme.pre);
  writer.set_array("tokenizer.ggml.tokens", tokens);
  writer.set_array("tokenizer.ggml.token_type", types);
  if (scheme.sentence_piece) {
    writer.set_array("tokenizer.ggml.scores", scores);
    writer.set("tokenizer.ggml.unknown_token_id", std::uint32_t{0});
  } else {
    writer.set_array("tokenizer.ggml.merges", merges);
  }
  writer.set("tokenizer.ggml.bos_token_id", scheme.bos);
  writer.set("tokenizer.ggml.eos_token_id", scheme.eos);
  writer.set("tokenizer.ggml.add_bos_token", scheme.add_bos);
}

}  // namespace edgelm::synth
