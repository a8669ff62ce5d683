// Every way a file is wrong that the reader promises to name. Each case asserts the parts of the
// message that help: what, where, expected, got.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "formats/gguf.h"
#include "formats/gguf_part.h"
#include "support/gguf_builder.h"

namespace edgelm::formats {
namespace {

using test::GgufBuilder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The message of the failure; every one names the file and stays on one line.
std::string refusal(std::string_view bytes) {
  const auto file = GgufFile::parse(as_byte_span(bytes), "m.gguf");
  EXPECT_FALSE(file);
  if (file) return "accepted";
  EXPECT_THAT(file.error().message, AllOf(StartsWith("m.gguf: "), Not(HasSubstr("\n"))));
  return file.error().message;
}
std::string refusal(const GgufBuilder& builder) { return refusal(builder.bytes()); }

std::string with_tensor(std::initializer_list<std::uint64_t> dims, std::uint32_t type,
                        std::uint64_t offset, std::size_t n_bytes = 128) {
  return refusal(GgufBuilder(1, 0).tensor("w", dims, type, offset).data(n_bytes));
}

TEST(GgufBadInput, SaysWhatAnotherKindOfFileIs) {
  EXPECT_THAT(refusal(""), HasSubstr("is empty"));
  EXPECT_THAT(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"),
              AllOf(HasSubstr("Git LFS pointer"), HasSubstr("git lfs pull")));
  EXPECT_THAT(refusal("\n <!DocType html><html>"), HasSubstr("HTML page"));
  EXPECT_THAT(refusal("<html><body>404"), HasSubstr("HTML page"));
  EXPECT_THAT(refusal("<?xml version=\"1.0\"?><Error>"), HasSubstr("XML"));
  EXPECT_THAT(refusal("{\"error\": \"gated\"}"), HasSubstr("JSON"));
  EXPECT_THAT(refusal("lmgg\x01\x02\x03\x04"), HasSubstr("legacy GGML"));
  EXPECT_THAT(refusal("tjgg\x01\x02\x03\x04"), HasSubstr("legacy GGJT"));
  EXPECT_THAT(refusal("fmgg\x01\x02\x03\x04"), HasSubstr("legacy GGMF"));
  EXPECT_THAT(refusal("PK\x03\x04zipzip"), HasSubstr("ZIP"));
  EXPECT_THAT(refusal(std::string("\x10\0\0\0\0\0\0\0{\"__metadata__\"", 22)),
              AllOf(HasSubstr("safetensors"), HasSubstr("convert")));
  EXPECT_THAT(refusal(std::string("{\0\0\0\0\0\0\0{\"__metadata__\"", 22)),
              HasSubstr("safetensors"));
  EXPECT_THAT(refusal(std::string(64, '\0')), HasSubstr("zeros"));
  EXPECT_THAT(refusal("ABCDEFGH"), AllOf(HasSubstr("'GGUF'"), HasSubstr("41 42 43 44")));
}

TEST(GgufBadInput, BigEndian) {
  EXPECT_THAT(refusal(std::string("GGUF\0\0\0\3", 8)), HasSubstr("big-endian"));
  EXPECT_THAT(refusal("FUGG...."), HasSubstr("big-endian"));
}

TEST(GgufBadInput, Versions) {
  EXPECT_THAT(refusal(std::string("GGUF\1\0\0\0\1\0\0\0\1\0\0\0", 16)), HasSubstr("version 1"));
  EXPECT_THAT(refusal(GgufBuilder(0, 0, 4)), AllOf(HasSubstr("version 4"), HasSubstr("2 and 3")));
  EXPECT_THAT(refusal(GgufBuilder(0, 0, 0)), HasSubstr("version 0"));
}

TEST(GgufBadInput, TruncatedHeader) {
  EXPECT_THAT(refusal("GGUF"), AllOf(HasSubstr("truncated"), HasSubstr("4 bytes")));
  EXPECT_THAT(refusal(GgufBuilder(0, 0).bytes().substr(0, 20)), HasSubstr("20 bytes"));
}

TEST(GgufBadInput, AbsurdCounts) {
  EXPECT_THAT(refusal(GgufBuilder(0, ~0ull)), HasSubstr("18446744073709551615 key-values"));
  EXPECT_THAT(refusal(GgufBuilder(~0ull, 0)), HasSubstr("18446744073709551615 tensors"));
  EXPECT_THAT(refusal(GgufBuilder(0, 2).u32("one", 1)), HasSubstr("at most 1"));
  EXPECT_THAT(refusal(GgufBuilder(0, 65537).data(1 << 20)),
              AllOf(HasSubstr("65537 key-values"), HasSubstr("limit is 65536")));
}

TEST(GgufBadInput, Keys) {
  EXPECT_THAT(refusal(GgufBuilder(0, 1).string("", "value")), HasSubstr("key is empty"));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).u32(std::string(65536, 'k'), 1)),
              AllOf(HasSubstr("65536"), HasSubstr("65535")));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).raw<std::uint64_t>(1000).raw(0ull)),
              AllOf(HasSubstr("key-value 1 of 1"), HasSubstr("1000 bytes"), HasSubstr("8 bytes")));
  EXPECT_THAT(refusal(GgufBuilder(0, 3).u32("a", 1).u32("b", 2).u32("a", 3)),
              HasSubstr("key 'a' occurs twice"));
}

TEST(GgufBadInput, Values) {
  EXPECT_THAT(refusal(GgufBuilder(0, 1).key("k", 13).raw(0)),
              AllOf(HasSubstr("'k'"), HasSubstr("value type 13")));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).key("k", 7).raw<std::uint8_t>(2)), HasSubstr("byte 2"));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).key("k", 8).raw(~0ull)), HasSubstr("18446744073709551615"));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).key("k", 10).raw(1)), HasSubstr("ends inside key-value 1"));
}

TEST(GgufBadInput, Arrays) {
  EXPECT_THAT(refusal(GgufBuilder(0, 1).array("k", 9, 1).raw(4).raw(1ull).raw(1)),
              HasSubstr("array of arrays"));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).array("k", 77, 1).raw(4)), HasSubstr("element type 77"));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).array("k", 10, 1ull << 61).raw(0ull)),
              AllOf(HasSubstr("2305843009213693952"), HasSubstr("u64")));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).array("k", 8, 1ull << 61).raw(0ull)), HasSubstr("string"));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).array("k", 8, 2).text("ab").raw(~0ull)),
              HasSubstr("element 1 of 2"));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).array("k", 7, 2).raw<std::uint16_t>(0x0301)),
              HasSubstr("byte 3"));
}

TEST(GgufBadInput, Alignment) {
  for (const std::uint32_t alignment : {0u, 12u, 33u, 1u << 21})
    EXPECT_THAT(refusal(GgufBuilder(0, 1).u32("general.alignment", alignment)),
                AllOf(HasSubstr("general.alignment"), HasSubstr(std::to_string(alignment))));
  EXPECT_THAT(refusal(GgufBuilder(0, 1).string("general.alignment", "32")),
              HasSubstr("expected u32, got string"));
}

TEST(GgufBadInput, Dimensions) {
  EXPECT_THAT(refusal(GgufBuilder(1, 0).tensor("w", {}, 0, 0).data(64)), HasSubstr("0 dimensions"));
  EXPECT_THAT(with_tensor({1, 1, 1, 1, 1}, 0, 0), HasSubstr("5 dimensions"));
  EXPECT_THAT(with_tensor({4, 0}, 0, 0), HasSubstr("dimension 1 is 0"));
  EXPECT_THAT(with_tensor({1ull << 32, 1ull << 32, 1}, 0, 0),
              AllOf(HasSubstr("4294967296x4294967296"), HasSubstr("overflows")));
  EXPECT_THAT(with_tensor({1ull << 62}, 0, 0), HasSubstr("overflows"));
  EXPECT_THAT(with_tensor({33}, 8, 0), AllOf(HasSubstr("Q8_0"), HasSubstr("multiple of 32")));
}

TEST(GgufBadInput, Offsets) {
  EXPECT_THAT(with_tensor({4}, 0, 8), AllOf(HasSubstr("offset 8"), HasSubstr("alignment 32")));
  EXPECT_THAT(with_tensor({4}, 0, ~0ull - 31), HasSubstr("overflows"));
  EXPECT_THAT(with_tensor({4}, 0, 128, 128),
              AllOf(HasSubstr("ends at byte"), HasSubstr("truncated?")));
  EXPECT_THAT(with_tensor({33}, 0, 0, 128), HasSubstr("ends at byte"));
}

TEST(GgufBadInput, TensorNames) {
  EXPECT_THAT(refusal(GgufBuilder(1, 0).tensor("", {4}, 0, 0).data(64)), HasSubstr("0 bytes long"));
  EXPECT_THAT(refusal(GgufBuilder(1, 0).tensor(std::string(1025, 'w'), {4}, 0, 0).data(64)),
              HasSubstr("1025"));
  EXPECT_THAT(refusal(GgufBuilder(2, 0).tensor("w", {4}, 0, 0).tensor("w", {4}, 0, 32).data(64)),
              HasSubstr("tensor 'w' occurs twice"));
}

TEST(GgufBadInput, Overlap) {
  EXPECT_THAT(refusal(GgufBuilder(2, 0).tensor("a", {9}, 0, 0).tensor("b", {4}, 0, 32).data(128)),
              AllOf(HasSubstr("'a' and 'b' overlap")));
  EXPECT_THAT(refusal(GgufBuilder(2, 0).tensor("a", {4}, 0, 32).tensor("b", {4}, 0, 32).data(128)),
              HasSubstr("overlap"));
}

TEST(GgufBadInput, TensorTypes) {
  EXPECT_THAT(with_tensor({256}, 17, 0), AllOf(HasSubstr("'w'"), HasSubstr("IQ2_XS"),
                                               HasSubstr("cannot run"), HasSubstr("F32")));
  EXPECT_THAT(with_tensor({256}, 999, 0), AllOf(HasSubstr("unknown"), HasSubstr("999")));
  EXPECT_THAT(with_tensor({256}, 31, 0), HasSubstr("unknown"));  // removed from the format
}

TEST(GgufBadInput, NamesCannotReachTheTerminalRaw) {
  const std::string message = refusal(GgufBuilder(0, 1).key("\x1b[2J\n", 99).raw(0));
  EXPECT_THAT(message, AllOf(HasSubstr("\\x1b[2J\\n"), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace edgelm::formats
