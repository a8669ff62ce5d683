// Fuzz target: any bytes as a base file of KL divergence. What the reader accepts is read to its
// end. The checksum would hide the rest from a fuzzer, so it is also put right.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "base/hash.h"
#include "quality/base_file.h"

namespace {

using namespace edgelm;

void read_all(Bytes bytes) {
  const auto file = quality::BaseFile::parse(bytes, "input");
  if (!file) return;
  if (file->n_positions() > bytes.size()) std::abort();
  quality::BasePosition position;
  for (std::uint64_t i = 0; i < file->n_positions(); ++i) {
    if (!file->read(i, position)) continue;
    for (const std::uint32_t id : position.ids)
      if (id >= file->header().n_vocab) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  read_all(bytes);
  if (size < 8) return 0;
  std::string right(as_chars(bytes.first(size - 8)));
  ByteWriter sum;
  sum.write(hash64(as_byte_span(right)));
  right += sum.bytes();
  read_all(as_byte_span(right));
  return 0;
}
