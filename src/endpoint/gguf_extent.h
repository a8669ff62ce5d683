#pragma once
// How many of a GGUF file's first bytes its header takes, told from as many as are there: enough to
// know when to stop fetching, no more. formats/gguf.h checks what the header says. Used by hub.cpp.

#include <cstdint>
#include <string_view>

namespace edgelm::endpoint {

struct GgufExtent {
  enum class Kind {
    kWhole,    // the header ends at `bytes`
    kMore,     // at least `bytes` are needed to go on
    kNotGguf,  // or nothing that this can walk: let the reader of the format say what it is
  };
  Kind kind = Kind::kNotGguf;
  std::uint64_t bytes = 0;
};

GgufExtent gguf_extent(std::string_view start);

}  // namespace edgelm::endpoint
