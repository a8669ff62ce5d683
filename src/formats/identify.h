#pragma once
// What a file is that is not a GGUF file edgelm can read, said in words that help: people point
// programs at web pages, pointers and checkpoints every day.

#include <optional>
#include <string>

#include "base/bytes.h"

namespace edgelm::formats {

// nullopt when the bytes begin as a little-endian GGUF file (magic and a plausible version);
// otherwise the end of a sentence: "is a safetensors checkpoint; convert it to GGUF first".
std::optional<std::string> why_not_gguf(Bytes bytes);

}  // namespace edgelm::formats
