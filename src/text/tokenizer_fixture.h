#pragma once
// Small vocabularies for tests and fuzzers: what a GGUF file would say, as a value that a test can
// bend before it is written. Not part of the program.

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "formats/gguf.h"
#include "formats/gguf_writer.h"
#include "text/tokenizer.h"

namespace edgelm::text::fixture {

struct VocabSpec {
  std::string model;
  std::string pre;  // empty: no tokenizer.ggml.pre
  std::vector<std::string> tokens;
  std::vector<float> scores;        // empty: none
  std::vector<std::int32_t> types;  // empty: none
  std::optional<std::vector<std::string>> merges;
  std::function<void(formats::GgufWriter&)> more;  // further keys

  TokenId add(std::string text, TokenType type, float score = 0) {
    tokens.push_back(std::move(text));
    types.push_back(static_cast<std::int32_t>(type));
    if (model == "llama") scores.push_back(score);
    return static_cast<TokenId>(tokens.size() - 1);
  }
};

inline std::string gguf_bytes(const VocabSpec& spec) {
  formats::GgufWriter writer;
  writer.set("general.architecture", "llama");
  writer.set("tokenizer.ggml.model", spec.model);
  if (!spec.pre.empty()) writer.set("tokenizer.ggml.pre", spec.pre);
  writer.set_array("tokenizer.ggml.tokens", spec.tokens);
  if (!spec.scores.empty()) writer.set_array("tokenizer.ggml.scores", spec.scores);
  if (!spec.types.empty()) writer.set_array("tokenizer.ggml.token_type", spec.types);
  if (spec.merges) writer.set_array("tokenizer.ggml.merges", *spec.merges);
  if (spec.more) spec.more(writer);
  return writer.to_bytes().value();
}

inline Result<std::unique_ptr<Tokenizer>> make_tokenizer(const VocabSpec& spec) {
  const std::string bytes = gguf_bytes(spec);
  EDGELM_TRY_ASSIGN(const formats::GgufFile file,
                    formats::GgufFile::parse(as_byte_span(bytes), "fixture.gguf"));
  return Tokenizer::from_gguf(file);
}

// The character of a byte in the alphabet of byte-level BPE.
inline std::string byte_character(unsigned byte) {
  const auto printable = [](unsigned b) {
    return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
  };
  unsigned code = byte;
  if (!printable(byte)) {
    code = 0x100;
    for (unsigned b = 0; b < byte; ++b) code += printable(b) ? 0U : 1U;
  }
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0U | code >> 6), static_cast<char>(0x80U | (code & 0x3FU))};
}

// LLaMA's layout: <unk> <s> </s>, the 256 byte tokens (3 to 258), then ordinary tokens.
inline VocabSpec spm_spec() {
  VocabSpec spec;
  spec.model = "llama";
  spec.add("<unk>", TokenType::kUnknown);
  spec.add("<s>", TokenType::kControl);
  spec.add("</s>", TokenType::kControl);
  for (unsigned byte = 0; byte < 256; ++byte) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    spec.add(std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">", TokenType::kByte);
  }
  // Higher scores merge first.
  float score = 0;
  for (const char* piece : {"▁t",   "he",    "▁the",   "▁a",   "in", "er",  "ll",    "▁h",
                            "hell", "hello", "▁hello", "or",   "ld", "wor", "world", "▁world",
                            "▁▁",   "▁▁▁▁",  "aa",     "aaaa", "é",  "éé",  "</",    "s>"})
    spec.add(piece, TokenType::kNormal, score -= 1);
  for (const char* piece :
       {"▁", "t", "h", "e", "a", "i", "n", "r", "l", "o", "w", "d", "<", "/", "s", ">", "|"})
    spec.add(piece, TokenType::kNormal, score -= 1);
  return spec;
}

// The 256 bytes (0 to 255), one token per merge, then special tokens.
inline VocabSpec bpe_spec(std::string pre) {
  VocabSpec spec;
  spec.model = "gpt2";
  spec.pre = std::move(pre);
  for (unsigned byte = 0; byte < 256; ++byte) spec.add(byte_character(byte), TokenType::kNormal);
  spec.merges.emplace();
  const std::string space = byte_character(' ');
  const std::string newline = byte_character('\n');
  for (const auto& [left, right] :
       std::vector<std::pair<std::string, std::string>>{{"h", "e"},
                                                        {"l", "l"},
                                                        {"he", "ll"},
                                                        {"hell", "o"},
                                                        {space, "t"},
                                                        {space + "t", "he"},
                                                        {space, "hello"},
                                                        {"a", "a"},
                                                        {"aa", "aa"},
                                                        {space, space},
                                                        {newline, newline},
                                                        {"1", "2"},
                                                        {"12", "3"},
                                                        {"Ã", "©"},
                                                        {"'", "s"},
                                                        {"o", "r"}}) {
    spec.merges->push_back(fmt::format("{} {}", left, right));
    spec.add(fmt::format("{}{}", left, right), TokenType::kNormal);
  }
  spec.add("<|endoftext|>", TokenType::kControl);
  spec.add("<|im_start|>", TokenType::kControl);
  spec.add("<|im_end|>", TokenType::kControl);
  spec.add("<tool>", TokenType::kUserDefined);
  spec.add("\t\t", TokenType::kUserDefined);
  spec.more =
      [end = static_cast<std::uint32_t>(spec.tokens.size() - 5)](formats::GgufWriter& writer) {
        writer.set("tokenizer.ggml.bos_token_id", end);
        writer.set("tokenizer.ggml.eos_token_id", end);
      };
  return spec;
}

}  // namespace edgelm::text::fixture
