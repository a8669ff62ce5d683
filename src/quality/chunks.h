#pragma once
// The chunks of a text that perplexity and KL divergence score, by the protocol of llama.cpp's
// `perplexity`: the text is tokenized once (with BOS where the model wants one) and cut into chunks
// of `context` tokens, each chunk's first token is replaced by BOS, and only the tokens after its
// middle are scored.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace edgelm::quality {

class Chunks {
 public:
  // kUsage when the text has fewer tokens than one chunk, kUnsupported without a vocabulary.
  // `max_chunks` 0: all.
  static Result<Chunks> make(const model::Model& model, std::string_view text,
                             std::uint32_t context, std::uint32_t max_chunks);

  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] std::uint32_t context() const { return context_; }
  // Logits at positions [first, context - 1) score the tokens after them.
  [[nodiscard]] std::uint32_t first() const { return context_ / 2; }
  [[nodiscard]] std::uint32_t scored() const { return context_ - 1 - first(); }  // per chunk
  [[nodiscard]] std::vector<text::TokenId> chunk(std::uint32_t index) const;
  // Of the ids of all chunks: two models score the same tokens when these agree.
  [[nodiscard]] std::uint64_t hash() const;
  // "7-0123456789abcdef": the same tokens have the same id in every run.
  [[nodiscard]] std::string id(std::uint32_t index) const;

 private:
  std::vector<text::TokenId> ids_;
  std::uint32_t context_ = 0;
  std::uint32_t count_ = 0;
  text::TokenId bos_ = text::kNoToken;  // kNoToken: chunks begin as the text does
};

}  // namespace edgelm::quality
