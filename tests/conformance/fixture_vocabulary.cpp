// Minimal vocabularies. The byte-to-character map of byte-level BPE is that of GPT-2's encoder.py
// (Radford et al. 2019): printable Latin-1 bytes stand for themselves, the others follow from
// U+0100.
#include "fixture_vocabulary.h"

#include <fmt/format.h>

#include <string_view>

namespace edgelm::conformance {
namespace {

enum : std::int32_t { kNormal = 1, kUnknown = 2, kControl = 3, kByte = 6 };

void add(Vocabulary& vocabulary, std::string token, std::int32_t type) {
  vocabulary.tokens.push_back(std::move(token));
  vocabulary.types.push_back(type);
}

std::string two_byte_utf8(unsigned code) {
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xc0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3f))};
}

}  // namespace

Vocabulary sentencepiece_vocabulary() {
  Vocabulary out{.model = "llama", .bos = 1, .eos = 2};
  add(out, "<unk>", kUnknown);
  add(out, "<s>", kControl);
  add(out, "</s>", kControl);
  for (unsigned byte = 0; byte < 256; ++byte) add(out, fmt::format("<0x{:02X}>", byte), kByte);
  for (const std::string_view piece : {"\xe2\x96\x81", "a", "b", "ab"})  // U+2581 marks a space
    add(out, std::string(piece), kNormal);
  for (std::size_t i = 0; i < out.tokens.size(); ++i)
    out.scores.push_back(out.types[i] == kNormal ? -static_cast<float>(i) : 0.0F);
  return out;
}

Vocabulary byte_level_vocabulary() {
  Vocabulary out{.model = "gpt2", .pre = "qwen2", .bos = 1, .eos = 2};
  for (const std::string_view special : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"})
    add(out, std::string(special), kControl);
  unsigned next_stand_in = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
    add(out, two_byte_utf8(printable ? byte : next_stand_in++), kNormal);
  }
  for (const auto& [left, right] : {std::pair{"t", "h"}, {"th", "e"}, {"i", "n"}, {"a", "n"}}) {
    add(out, fmt::format("{}{}", left, right), kNormal);
    out.merges.push_back(fmt::format("{} {}", left, right));
  }
  return out;
}

}  // namespace edgelm::conformance
