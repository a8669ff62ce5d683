// What a valid file yields: values, typed access, tensors, and the published files of the data
// folder.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "formats/gguf.h"
#include "support/data.h"
#include "support/gguf_builder.h"

namespace edgelm::formats {
namespace {

using test::GgufBuilder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// One value of every type, two tensors.
std::string every_type(std::uint32_t version) {
  GgufBuilder file(2, 15, version);
  file.key("u8", 0).raw<std::uint8_t>(200);
  file.key("i8", 1).raw<std::int8_t>(-100);
  file.u16("u16", 60000);
  file.key("i16", 3).raw<std::int16_t>(-30000);
  file.u32("u32", 4000000000u);
  file.i32("i32", -5);
  file.key("f32", 6).raw(0.5f);
  file.key("bool", 7).raw<std::uint8_t>(1);
  file.string("string", "h\xc3\xa9llo");
  file.key("u64", 10).raw<std::uint64_t>(1ull << 63);
  file.key("i64", 11).raw<std::int64_t>(-1);
  file.key("f64", 12).raw(1e300);
  file.array("strings", 8, 3).text("a").text("").text("ccc");
  file.array("numbers", 5, 2).raw<std::int32_t>(7).raw<std::int32_t>(-7);
  file.key("infinite", 6).raw(1.0f / 0.0f);
  file.tensor("one", {4, 2}, 0, 0).tensor("two", {32}, 8, 32).data(66);
  return file.bytes();
}

TEST(GgufReader, IdentityNamesAFileThatHasRested) {
  const std::string path = test::source_dir() + "/models/edgelm-novels-tiny-q8_0.gguf";
  const auto file = GgufFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_THAT(file->identity(), HasSubstr(fmt::format(":{}:", file->file_bytes())));
  EXPECT_EQ(file->identity(), GgufFile::open(path)->identity());

  const std::string copy = fmt::format("{}gguf_identity_{}", ::testing::TempDir(), getpid());
  std::filesystem::copy_file(path, copy);
  const auto fresh = GgufFile::open(copy);  // it might still be changing
  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_EQ(fresh->identity(), "");
  std::filesystem::remove(copy);

  const std::string bytes = every_type(3);
  EXPECT_EQ(GgufFile::parse(as_byte_span(bytes), "memory")->identity(), "");
}

TEST(GgufReader, ReadsEveryTypeInBothVersions) {
  for (const std::uint32_t version : {2u, 3u}) {
    const std::string bytes = every_type(version);
    const auto file = GgufFile::parse(as_byte_span(bytes), "m.gguf");
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->version(), version);
    EXPECT_EQ(file->n_parts(), 1u);
    EXPECT_EQ(file->file_bytes(), bytes.size());
    EXPECT_EQ(file->metadata().size(), 15u);
    EXPECT_EQ(file->u64("u8").value(), 200u);
    EXPECT_EQ(file->u64("u16").value(), 60000u);
    EXPECT_EQ(file->u64("u32").value(), 4000000000u);
    EXPECT_EQ(file->u64("u64").value(), 1ull << 63);
    EXPECT_EQ(file->f64("i8").value(), -100.0);
    EXPECT_EQ(file->f64("i16").value(), -30000.0);
    EXPECT_EQ(file->f64("f32").value(), 0.5);
    EXPECT_EQ(file->f64("f64").value(), 1e300);
    EXPECT_EQ(file->boolean("bool").value(), true);
    EXPECT_EQ(file->string("string").value(), "h\xc3\xa9llo");
    EXPECT_THAT(file->array("strings", GgufType::kString)->strings(), ElementsAre("a", "", "ccc"));
    EXPECT_THAT(file->array("numbers", GgufType::kI32)->numbers(), ElementsAre(7.0, -7.0));
    EXPECT_TRUE(file->array("numbers", GgufType::kI32)->strings().empty());
    EXPECT_TRUE(file->array("strings", GgufType::kString)->numbers().empty());
  }
}

TEST(GgufReader, PlacesTensors) {
  const std::string bytes = every_type(3);
  const auto file = GgufFile::parse(as_byte_span(bytes), "m.gguf");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->tensors().size(), 2u);
  const tensor::TensorView* one = file->find_tensor("one");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->type, tensor::DType::kF32);
  EXPECT_EQ(to_string(one->shape), "4x2");
  EXPECT_EQ(one->data.size(), 32u);
  const tensor::TensorView* two = file->find_tensor("two");
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(two->data.size(), 34u);
  EXPECT_EQ(two->data.data() - as_byte_span(bytes).data(),
            static_cast<std::ptrdiff_t>(file->tensor_infos()[1].offset));
  EXPECT_EQ(file->tensor_infos()[1].offset % 32, 0u);
  EXPECT_EQ(file->find_tensor("three"), nullptr);
}

TEST(GgufReader, TypedAccessNamesFileKeyExpectedAndGot) {
  const std::string bytes = every_type(3);
  const auto file = GgufFile::parse(as_byte_span(bytes), "m.gguf");
  ASSERT_TRUE(file);
  const auto message = [](const auto& result) { return result.error().message; };
  EXPECT_THAT(message(file->u64("gone")),
              AllOf(HasSubstr("m.gguf"), HasSubstr("'gone' is missing")));
  EXPECT_THAT(message(file->u64("i32")), AllOf(HasSubstr("'i32'"), HasSubstr("got -5")));
  EXPECT_THAT(message(file->u64("f32")), HasSubstr("expected a non-negative integer, got f32"));
  EXPECT_THAT(message(file->f64("infinite")), HasSubstr("finite"));
  EXPECT_THAT(message(file->f64("string")), HasSubstr("expected a number, got string"));
  EXPECT_THAT(message(file->boolean("u8")), HasSubstr("expected a bool, got u8"));
  EXPECT_THAT(message(file->string("strings")),
              HasSubstr("expected a string, got array of string"));
  EXPECT_THAT(message(file->array("numbers", GgufType::kF32)),
              HasSubstr("expected array of f32, got array of i32"));
}

TEST(GgufReader, FallbacksCoverAbsenceButNotTheWrongKind) {
  const std::string bytes = every_type(3);
  const auto file = GgufFile::parse(as_byte_span(bytes), "m.gguf");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->u64_or("gone", 9).value(), 9u);
  EXPECT_EQ(file->u64_or("u8", 9).value(), 200u);
  EXPECT_FALSE(file->u64_or("string", 9));
  EXPECT_EQ(file->f64_or("gone", 0.25).value(), 0.25);
  EXPECT_FALSE(file->f64_or("infinite", 0.25));
  EXPECT_EQ(file->boolean_or("gone", true).value(), true);
  EXPECT_FALSE(file->boolean_or("u8", true));
  EXPECT_EQ(file->string_or("gone", "x").value(), "x");
  EXPECT_FALSE(file->string_or("u8", "x"));
}

TEST(GgufReader, KeepsTypesItCannotRunWhenOnlyLooking) {
  GgufBuilder builder(1, 0);
  builder.tensor("w", {256, 2}, 17, 0).data(2 * 74);  // IQ2_XS
  const auto file = GgufFile::parse(as_byte_span(builder.bytes()), "m.gguf", TypePolicy::kKnown);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->tensors().empty());
  ASSERT_EQ(file->tensor_infos().size(), 1u);
  EXPECT_EQ(file->tensor_infos()[0].data.size(), 148u);
}

TEST(GgufReader, MovedFileKeepsItsViews) {
  const std::string bytes = every_type(3);
  auto file = GgufFile::parse(as_byte_span(bytes), "m.gguf");
  ASSERT_TRUE(file);
  const GgufFile moved = std::move(*file);
  EXPECT_EQ(moved.string("string").value(), "h\xc3\xa9llo");
}

TEST(GgufReader, OpensThePublishedFiles) {
  const auto data = test::shared_data();
  if (!data) GTEST_SKIP() << "needs the data folder (EDGELM_DATA)";
  const auto stories = GgufFile::open(*data + "/models/stories260K.gguf");
  ASSERT_TRUE(stories) << stories.error().message;
  EXPECT_EQ(stories->string("general.architecture").value(), "llama");
  EXPECT_EQ(stories->tensors().size(), 48u);
  int n_vocabularies = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*data + "/tokenizers")) {
    if (entry.path().extension() != ".gguf") continue;
    const auto file = GgufFile::open(entry.path().string());
    ASSERT_TRUE(file) << file.error().message;
    const auto tokens = file->array("tokenizer.ggml.tokens", GgufType::kString);
    ASSERT_TRUE(tokens) << tokens.error().message;
    EXPECT_EQ(tokens->strings().size(), tokens->count);
    EXPECT_GT(tokens->count, 10000u);
    ++n_vocabularies;
  }
  EXPECT_GT(n_vocabularies, 0);
}

}  // namespace
}  // namespace edgelm::formats
