#pragma once
// Repairs a byte stream into valid UTF-8, one byte at a time: complete characters pass, anything
// else becomes U+FFFD by the practice of "substitution of maximal subparts" (Unicode 16, section
// 3.9.6 and table 3-11; table 3-7 gives the allowed bytes). Used by TextStream; allocates nothing.

#include <cstdint>
#include <string>
#include <string_view>

namespace edgelm::text {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

class Utf8Repair {
 public:
  // Feeds one byte; calls emit(std::string_view) with each finished character, in order. The views
  // are valid during the call only.
  template <class Emit>
  void push(unsigned char byte, Emit&& emit) {
    if (missing_ > 0) {
      if (byte >= low_ && byte <= high_) {
        pending_[size_++] = static_cast<char>(byte);
        low_ = 0x80;
        high_ = 0xBF;
        if (--missing_ == 0) emit(std::string_view(pending_, size_));
        return;
      }
      missing_ = 0;  // the bytes so far are a maximal subpart; `byte` starts afresh
      emit(kReplacementCharacter);
    }
    start(byte);
    if (missing_ > 0) return;
    if (byte < 0x80) {
      emit(std::string_view(pending_, 1));
    } else {
      emit(kReplacementCharacter);
    }
  }

  // The stream ended: an unfinished character becomes U+FFFD.
  template <class Emit>
  void finish(Emit&& emit) {
    if (missing_ > 0) emit(kReplacementCharacter);
    missing_ = 0;
  }

 private:
  void start(unsigned char byte) {
    pending_[0] = static_cast<char>(byte);
    size_ = 1;
    missing_ = 0;
    low_ = 0x80;
    high_ = 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF) {
      missing_ = 1;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
      missing_ = 2;
      if (byte == 0xE0) low_ = 0xA0;   // shorter forms exist
      if (byte == 0xED) high_ = 0x9F;  // surrogates
    } else if (byte >= 0xF0 && byte <= 0xF4) {
      missing_ = 3;
      if (byte == 0xF0) low_ = 0x90;
      if (byte == 0xF4) high_ = 0x8F;  // beyond U+10FFFF
    }
  }

  char pending_[4] = {};
  std::uint8_t size_ = 0;
  std::uint8_t missing_ = 0;  // continuation bytes still to come
  unsigned char low_ = 0x80;  // allowed range of the next one
  unsigned char high_ = 0xBF;
};

// `bytes` as valid UTF-8.
inline std::string repaired_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  Utf8Repair repair;
  const auto append = [&text](std::string_view character) { text += character; };
  for (const char c : bytes) repair.push(static_cast<unsigned char>(c), append);
  repair.finish(append);
  return text;
}

}  // namespace edgelm::text
