#pragma once
// Parses and checks one GGUF file (one part of a split model). Called by gguf.cpp only.
//
// Checked here: magic, version, counts against what the file could hold, string lengths, value
// types, booleans, nested arrays, duplicate keys and tensors, alignment, dimensions and their
// product, whole blocks per row, offsets and sizes inside the file, overlap. Checked elsewhere:
// agreement between parts (gguf_split.h), shapes against the architecture (src/arch).

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/gguf.h"

namespace edgelm::formats {

inline constexpr std::uint32_t kDefaultAlignment = 32;
inline constexpr std::uint32_t kMaxAlignment = 1u << 20;
inline constexpr std::uint64_t kMaxKeyBytes = 65535;  // the limit of the format
// The format says 64, and some programs are built for longer names. Refusing a readable file helps
// nobody; the cap only bounds messages and tables.
inline constexpr std::uint64_t kMaxTensorNameBytes = 1024;
// Far above any model (tens of keys, thousands of tensors); bounds what a hostile file costs.
inline constexpr std::uint64_t kMaxKeyValues = 1u << 16;
inline constexpr std::uint64_t kMaxTensors = 1u << 20;

struct GgufPart {
  std::uint32_t version = 0;
  Bytes header;  // all before the padding and the tensor data
  std::vector<GgufValue> metadata;
  std::vector<GgufTensorInfo> tensors;  // every type that the policy lets through
};

// Views in the result point into `bytes`. `name` opens every message.
Result<GgufPart> parse_part(Bytes bytes, const std::string& name, TypePolicy policy);

// Bytes per element of a scalar type; 0 for strings and arrays.
std::uint64_t scalar_bytes(GgufType type);

}  // namespace edgelm::formats
