// Totals add up, and long or hostile values become one short line.

#include "formats/gguf_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/gguf_types.h"
#include "formats/gguf_writer.h"

namespace edgelm::formats {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string brief_of(const GgufWriter& writer, std::size_t max_bytes) {
  const std::string bytes = writer.to_bytes().value();
  const auto file = GgufFile::parse(as_byte_span(bytes), "m.gguf");
  return brief_value(*file->find("k"), max_bytes);
}

template <class T>
std::string brief_array_of(const std::vector<T>& values, std::size_t max_bytes) {
  GgufWriter writer;
  writer.set_array("k", values);
  return brief_of(writer, max_bytes);
}

template <class T>
std::string brief_scalar_of(const T& value, std::size_t max_bytes = 40) {
  GgufWriter writer;
  writer.set("k", value);
  return brief_of(writer, max_bytes);
}

TEST(GgufSummary, TotalsByTypeMostBytesFirst) {
  const std::string data(256, 'x');
  const Bytes bytes = as_byte_span(data);
  tensor::Shape small;
  small.dims[0] = 32;
  GgufWriter writer;
  writer.add_tensor("a", tensor::DType::kQ8_0, small, bytes.first(34));
  writer.add_tensor("b", tensor::DType::kF32, small, bytes.first(128));
  writer.add_tensor("c", tensor::DType::kQ8_0, small, bytes.first(34));
  const std::string file_bytes = writer.to_bytes().value();
  const auto file = GgufFile::parse(as_byte_span(file_bytes), "m.gguf");
  ASSERT_TRUE(file);
  const TensorTotals totals = total_tensors(*file);
  ASSERT_EQ(totals.types.size(), 2u);
  EXPECT_EQ(totals.types[0].type_id, 0u);
  EXPECT_EQ(totals.types[1].n_tensors, 2u);
  EXPECT_EQ(totals.types[1].bytes, 68u);
  EXPECT_DOUBLE_EQ(totals.types[1].bits_per_weight(), 8.5);
  EXPECT_EQ(totals.all.n_tensors, 3u);
  EXPECT_EQ(totals.all.elements, 96u);
  EXPECT_EQ(totals.all.bytes, 196u);
  EXPECT_EQ(TypeTotal{}.bits_per_weight(), 0.0);
  EXPECT_EQ(tensor_type_label(12), "Q4_K");
  EXPECT_EQ(tensor_type_label(77), "type 77");
}

TEST(GgufSummary, BriefScalars) {
  EXPECT_EQ(brief_scalar_of(true), "true");
  EXPECT_EQ(brief_scalar_of(std::int8_t{-3}), "-3");
  EXPECT_EQ(brief_scalar_of(1e-5f), "1e-05");
  EXPECT_EQ(brief_scalar_of("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(brief_scalar_of(std::string_view("abcdef"), 3), "abc...");
}

TEST(GgufSummary, BriefArrays) {
  EXPECT_EQ(brief_array_of(std::vector<std::int32_t>{1, -2}, 40), "[1, -2]");
  EXPECT_EQ(brief_array_of(std::vector<std::int32_t>{}, 40), "[]");
  EXPECT_EQ(brief_array_of(std::vector<bool>{true, false}, 40), "[true, false]");
  EXPECT_EQ(brief_array_of(std::vector<std::string>{"a", "\n"}, 40), "[\"a\", \"\\n\"]");
  const std::string numbers = brief_array_of(std::vector<float>(100000, 0.5f), 40);
  EXPECT_THAT(numbers, StartsWith("[0.5, 0.5"));
  EXPECT_THAT(numbers, EndsWith(", ...] (100000)"));
  EXPECT_LT(numbers.size(), 60u);
  EXPECT_THAT(brief_array_of(std::vector<std::string>(500, std::string(500, 'x')), 20),
              HasSubstr("...\", ...] (500)"));
}

}  // namespace
}  // namespace edgelm::formats
