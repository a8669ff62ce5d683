// Encoding and decoding of the header of a cache file.

#include "cache/header.h"

#include "base/hash.h"
#include "base/random.h"

namespace edgelm::cache {
namespace {

constexpr std::string_view kMagic = "EDGELMPW";
constexpr std::uint32_t kByteOrder = 0x01020304;
constexpr std::uint64_t kFixedBytes = 80;
constexpr std::uint64_t kChecksumBytes = sizeof(std::uint64_t);

tl::unexpected<Error> cut_short() { return fail(ErrorCode::kFormat, "the header is cut short"); }

}  // namespace

Result<std::string> encode_header(const Header& header) {
  const std::uint64_t size = kFixedBytes + header.source.size() + header.label.size() +
                             header.made_by.size() + kChecksumBytes;
  if (size > kMaxHeaderBytes)
    return fail(ErrorCode::kLimit, "the names of the model's parts take {} bytes, at most {} fit",
                size, kMaxHeaderBytes);
  ByteWriter out;
  out.write_bytes(kMagic);
  out.write(kFormatVersion);
  out.write(kByteOrder);
  out.write(size);
  out.write(header.image_bytes);
  out.write(header.image_hash);
  out.write(header.source_hash);
  out.write(header.table_hash);
  out.write(header.layout_version);
  out.write(static_cast<std::uint32_t>(header.source.size()));
  out.write(header.built_s);
  out.write(static_cast<std::uint32_t>(header.label.size()));
  out.write(static_cast<std::uint32_t>(header.made_by.size()));
  out.write_bytes(header.source);
  out.write_bytes(header.label);
  out.write_bytes(header.made_by);
  out.write(hash64(as_byte_span(out.bytes())));
  return out.bytes();
}

Result<Header> decode_header(Bytes bytes) {
  if (bytes.size() < kFixedBytes + kChecksumBytes) return cut_short();
  if (as_chars(bytes.first(kMagic.size())) != kMagic)
    return fail(ErrorCode::kFormat, "it does not start with {}", kMagic);
  ByteReader in(bytes.subspan(kMagic.size()));
  const std::uint32_t format = in.read<std::uint32_t>().value_or(0);
  const std::uint32_t order = in.read<std::uint32_t>().value_or(0);
  if (order != kByteOrder)
    return fail(ErrorCode::kUnsupported, "byte order mark {:08x}, expected {:08x}", order,
                kByteOrder);
  if (format != kFormatVersion)
    return fail(ErrorCode::kUnsupported, "format {}, this build reads {}", format, kFormatVersion);
  const std::uint64_t size = in.read<std::uint64_t>().value_or(0);
  if (size < kFixedBytes + kChecksumBytes || size > kMaxHeaderBytes || size > bytes.size())
    return cut_short();
  // Everything below is what was written once this has been checked.
  const Bytes hashed = bytes.first(static_cast<std::size_t>(size - kChecksumBytes));
  if (hash64(hashed) != load_le<std::uint64_t>(hashed.data() + hashed.size()))
    return fail(ErrorCode::kFormat, "the header's checksum is wrong");
  Header header;
  header.image_bytes = in.read<std::uint64_t>().value_or(0);
  header.image_hash = in.read<std::uint64_t>().value_or(0);
  header.source_hash = in.read<std::uint64_t>().value_or(0);
  header.table_hash = in.read<std::uint64_t>().value_or(0);
  header.layout_version = in.read<std::uint32_t>().value_or(0);
  const std::uint64_t source_bytes = in.read<std::uint32_t>().value_or(0);
  header.built_s = in.read<std::int64_t>().value_or(0);
  const std::uint64_t label_bytes = in.read<std::uint32_t>().value_or(0);
  const std::uint64_t made_by_bytes = in.read<std::uint32_t>().value_or(0);
  if (kFixedBytes + source_bytes + label_bytes + made_by_bytes + kChecksumBytes != size)
    return cut_short();
  header.source = as_chars(in.take(source_bytes).value_or(Bytes()));
  header.label = as_chars(in.take(label_bytes).value_or(Bytes()));
  header.made_by = as_chars(in.take(made_by_bytes).value_or(Bytes()));
  return header;
}

std::uint64_t settled_mark(const Header& header) {
  // Never 0, what a hole in a file reads as.
  return mix64(header.image_hash ^ mix64(header.table_hash)) | 1U;
}

}  // namespace edgelm::cache
