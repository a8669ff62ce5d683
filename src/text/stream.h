#pragma once
// Turns the pieces of a token stream into text that may be shown: never half a UTF-8 character,
// never anything at or past a stop string. Allocates only when constructed (given its bounds).
//
// What is shown does not depend on how the text was cut into pieces. Bytes that cannot be UTF-8
// become U+FFFD first (utf8.h), stop strings likewise; stops are then looked for in that text. The
// stop that is completed first ends it; of several that end at the same byte, the longest. (So no
// further token has to be generated to learn whether a longer stop would have matched.)

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/utf8.h"

namespace edgelm::text {

class TextStream {
 public:
  // `stops`: strings that end the text; empty ones are ignored. `max_piece_bytes` bounds a piece: a
  // longer one is still handled, but may allocate.
  explicit TextStream(const std::vector<std::string>& stops = {},
                      std::size_t max_piece_bytes = 256);

  // Takes the bytes of the next piece and returns what may be shown now: complete UTF-8 characters
  // that cannot be part of a stop string. The view is valid until the next call. After stopped()
  // nothing is taken and "" returned.
  std::string_view push(std::string_view piece);

  // The stream ended without a stop string: what was held back (an unfinished character becomes
  // U+FFFD, which may itself complete a stop).
  std::string_view finish();

  [[nodiscard]] bool stopped() const {
    return stop_index_ != kNone;
  }                                                    // a stop string was completed
  [[nodiscard]] std::string_view stop_string() const;  // which one, else ""

 private:
  // A stop string and its Knuth-Morris-Pratt automaton.
  struct Stop {
    std::string text;
    std::vector<std::uint32_t> fallback;  // longest proper border of text[0, i]
    std::size_t matched = 0;              // bytes of `text` that the shown text ends with now
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  void take(std::string_view character);
  bool advance(Stop& stop, char c);
  std::string_view show(std::size_t keep);

  std::vector<Stop> stops_;
  Utf8Repair repair_;
  std::string held_;   // repaired text not shown yet
  std::string shown_;  // returned by the last call
  std::size_t stop_index_ = kNone;
};

}  // namespace edgelm::text
