#pragma once
// The text of one generated stream: token pieces in, showable text out. Holds the stop strings;
// what it knows can be rebuilt by pushing the stream's ids again.

#include <string>
#include <string_view>
#include <vector>

#include "text/stream.h"
#include "text/tokenizer.h"

namespace edgelm::engine {

class TextGeneration {
 public:
  // The tokenizer must outlive this.
  TextGeneration(const text::Tokenizer& tokenizer, const std::vector<std::string>& stops)
      : tokenizer_(tokenizer), stream_(stops, tokenizer.longest_piece_bytes()) {
    piece_.reserve(tokenizer.longest_piece_bytes());
  }

  // Text that may be shown after this token; valid until the next call.
  std::string_view push(text::TokenId id) {
    piece_.clear();
    tokenizer_.append_piece(id, false, false, piece_);
    return stream_.push(piece_);
  }
  std::string_view finish() { return stream_.finish(); }
  [[nodiscard]] bool stopped() const { return stream_.stopped(); }

 private:
  const text::Tokenizer& tokenizer_;
  text::TextStream stream_;
  std::string piece_;
};

}  // namespace edgelm::engine
