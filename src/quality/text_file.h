#pragma once
// Data files of evaluations, read whole and checked: valid UTF-8, lines with their numbers. Every
// reader of this folder starts here, so that each message can say file and line.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace edgelm::quality {

struct Line {
  std::uint32_t number = 0;  // from 1
  std::string_view text;     // without its ending; not owned
};

struct TextFile {
  std::string path;
  std::string name;  // the last part of the path
  std::string text;  // valid UTF-8, without a byte order mark

  // Lines ended by \n or \r\n; a text that ends with a newline has no empty line after it.
  [[nodiscard]] std::vector<Line> lines() const;
};

// kFormat with the line of the first byte that is not UTF-8, or when the file is empty.
Result<TextFile> read_text_file(const std::string& path);
// The same checks on a text in memory (tests, fuzzing).
Result<TextFile> check_text(std::string path, std::string text);

// Start of a text for a message: printable, at most 40 bytes, in quotes.
std::string shown(std::string_view text);

// "16 hex digits": recognises the same question in another run.
std::string short_hash(std::string_view text);

}  // namespace edgelm::quality
