#pragma once
// The smallest vocabularies both edgelm and llama.cpp accept: all single bytes, a few merged pieces
// and the special tokens. Used by fixture_model.cpp.

#include <cstdint>
#include <string>
#include <vector>

namespace edgelm::conformance {

struct Vocabulary {
  std::string model;  // tokenizer.ggml.model
  std::string pre{};  // tokenizer.ggml.pre; empty: not written
  std::vector<std::string> tokens{};
  std::vector<float> scores{};        // SentencePiece only
  std::vector<std::int32_t> types{};  // tokenizer.ggml.token_type
  std::vector<std::string> merges{};  // byte-level BPE only
  std::uint32_t bos = 0;
  std::uint32_t eos = 0;
};

Vocabulary sentencepiece_vocabulary();  // <unk> <s> </s>, 256 byte tokens, 4 pieces: 263
Vocabulary byte_level_vocabulary();     // <|endoftext|> ..., 256 byte characters, 4 pieces: 263

}  // namespace edgelm::conformance
