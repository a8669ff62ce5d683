#pragma once
// The tensor table of one GGUF file: names, shapes, types, and where the data lies. Called by
// parse_part() once the key-values are read.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/gguf.h"

namespace edgelm::formats {

// Smallest possible entry: name length, one character, n_dims, one dimension, type, offset.
inline constexpr std::uint64_t kMinTensorInfoBytes = 8 + 1 + 4 + 8 + 4 + 8;

// `reader` stands at the first entry. Every returned tensor lies inside `bytes`, aligned, and apart
// from all others.
Result<std::vector<GgufTensorInfo>> parse_tensors(Bytes bytes, ByteReader& reader,
                                                  const std::string& name, std::uint64_t count,
                                                  std::uint32_t alignment, TypePolicy policy);

}  // namespace edgelm::formats
