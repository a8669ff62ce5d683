#pragma once
// What a cache file says about itself. Written and read by weight_cache.cpp and store.cpp; the
// decoder is the one place where bytes of such a file are believed, so it believes none unchecked.
//
// Layout of a file, little-endian:
//        0  header: magic "EDGELMPW" | u32 format | u32 byte order | u64 header bytes |
//           u64 image bytes | u64 image hash | u64 source hash | u64 table hash |
//           u32 layout version | u32 bytes of source | i64 built | u32 bytes of label |
//           u32 bytes of made_by | source, label, made_by | u64 hash of all before
//    1 MiB  u64 settled mark
//    2 MiB  image, to the end of the file: huge pages map only what is aligned in both
// Hashes are XXH3. The mark stands apart because it is set in place when the image has reached the
// disk: eight aligned bytes cannot be half written.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace edgelm::cache {

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::uint64_t kMarkOffset = 1ULL << 20;
constexpr std::uint64_t kImageOffset = 2ULL << 20;
constexpr std::uint64_t kMaxHeaderBytes = 64ULL << 10;

struct Header {
  std::uint64_t image_bytes = 0;
  std::uint64_t image_hash = 0;
  std::uint64_t source_hash = 0;
  std::uint64_t table_hash = 0;
  std::uint32_t layout_version = 0;
  std::int64_t built_s = 0;
  std::string source = {};
  std::string label = {};
  std::string made_by = {};
};

// kLimit when the texts are longer than kMaxHeaderBytes leaves room for.
Result<std::string> encode_header(const Header& header);

// Of the first bytes of a file, kMaxHeaderBytes of them or all there are. kUnsupported: made by
// another version of this program, or on a machine of another byte order; kFormat: damaged.
Result<Header> decode_header(Bytes bytes);

// The mark that says that this very image is on the disk.
std::uint64_t settled_mark(const Header& header);

}  // namespace edgelm::cache
