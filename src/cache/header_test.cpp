// The header of a cache file: what is written is read, and nothing else is believed.

#include "cache/header.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/random.h"

namespace edgelm::cache {
namespace {

Header sample() {
  return {.image_bytes = 650'117'120,
          .image_hash = 0x1122334455667788,
          .source_hash = 2,
          .table_hash = 3,
          .layout_version = 4,
          .built_s = 1'700'000'000,
          .source = "64768:12:650000000:1700000000000000000:1700000000000000000 0123456789abcdef\n",
          .label = "/models/qwen.gguf",
          .made_by = "0.1.0"};
}

bool equal(const Header& a, const Header& b) {
  return a.image_bytes == b.image_bytes && a.image_hash == b.image_hash &&
         a.source_hash == b.source_hash && a.table_hash == b.table_hash &&
         a.layout_version == b.layout_version && a.built_s == b.built_s && a.source == b.source &&
         a.label == b.label && a.made_by == b.made_by;
}

TEST(CacheHeader, RoundTrip) {
  const Header header = sample();
  std::string bytes = encode_header(header).value();
  ASSERT_TRUE(decode_header(as_byte_span(bytes)));
  bytes.resize(kMaxHeaderBytes, 'x');  // what follows in the file does not matter
  const auto read = decode_header(as_byte_span(bytes));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(equal(*read, header));
}

TEST(CacheHeader, EveryFlippedBitAndEveryCutIsSeen) {
  const std::string good = encode_header(sample()).value();
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    std::string bad = good;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    EXPECT_FALSE(decode_header(as_byte_span(bad))) << "bit " << i;
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(decode_header(as_byte_span(good).first(size))) << size << " bytes";
}

// Random damage whose checksum is made right again: what is read must fit what is there, and being
// encoded again it must yield the same bytes.
TEST(CacheHeader, AnyBytesUnderARightChecksumAreSafe) {
  const std::string good = encode_header(sample()).value();
  Random random(20261121);
  int accepted = 0;
  for (int round = 0; round < 10'000; ++round) {
    std::string bytes = good;
    const std::uint64_t n_changes = 1 + random.below(4);
    for (std::uint64_t change = 0; change < n_changes; ++change) {
      // The fixed part has the numbers that steer; it gets half of the changes.
      const std::uint64_t end = random.below(2) == 0 ? 80 : bytes.size();
      bytes[random.below(end)] = static_cast<char>(random.bits());
    }
    const auto size =
        std::min<std::uint64_t>(load_le<std::uint64_t>(bytes.data() + 16), bytes.size());
    if (size >= 8) store_le(bytes.data() + size - 8, hash64(as_byte_span(bytes).first(size - 8)));
    const auto header = decode_header(as_byte_span(bytes));
    if (!header) {
      EXPECT_EQ(header.error().message.find('\n'), std::string::npos);
      continue;
    }
    ++accepted;
    EXPECT_EQ(encode_header(*header).value(), bytes.substr(0, size));
  }
  EXPECT_GT(accepted, 1000);  // the checksums were right
  EXPECT_LT(accepted, 9900);
}

TEST(CacheHeader, OtherVersionsAreNotDamage) {
  std::string bytes = encode_header(sample()).value();
  bytes[8] = 2;
  EXPECT_EQ(decode_header(as_byte_span(bytes)).error().code, ErrorCode::kUnsupported);
  bytes = encode_header(sample()).value();
  std::swap(bytes[12], bytes[15]);
  std::swap(bytes[13], bytes[14]);
  EXPECT_EQ(decode_header(as_byte_span(bytes)).error().code, ErrorCode::kUnsupported);
}

TEST(CacheHeader, TooManyPartsAreRefused) {
  Header header = sample();
  header.source.assign(kMaxHeaderBytes, 'x');
  const auto encoded = encode_header(header);
  ASSERT_FALSE(encoded);
  EXPECT_EQ(encoded.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace edgelm::cache
