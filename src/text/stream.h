#pragma once
// Turns the pieces of a token stream into text that may be shown: never half a UTF-8 character,
// never anything at or past a stop string. Allocates only when constructed (given its bounds).

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace edgelm::text {

class TextStream {
 public:
  // `stops`: strings that end the text; empty ones are ignored. `max_piece_bytes` bounds a piece.
  explicit TextStream(std::vector<std::string> stops = {}, std::size_t max_piece_bytes = 256);

  // Takes the bytes of the next piece and returns what may be shown now: complete UTF-8 characters
  // that cannot be part of a stop string. The view is valid until the next call. Bytes that can no
  // longer become valid UTF-8 are shown as U+FFFD.
  std::string_view push(std::string_view piece);

  // The stream ended without a stop string: what was held back (an unfinished character becomes
  // U+FFFD).
  std::string_view finish();

  [[nodiscard]] bool stopped() const { return stopped_; }          // a stop string was completed
  [[nodiscard]] std::string_view stop_string() const { return stop_string_; }  // which one

 private:
  std::vector<std::string> stops_;
  std::string held_;     // bytes not shown yet
  std::string shown_;    // returned by the last call
  std::string_view stop_string_;
  bool stopped_ = false;
};

}  // namespace edgelm::text
