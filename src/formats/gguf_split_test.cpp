// Models in several files: any part opens all, and every disagreement is named.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "formats/gguf.h"
#include "formats/gguf_split.h"
#include "os/file.h"
#include "support/gguf_builder.h"

namespace edgelm::formats {
namespace {

using test::GgufBuilder;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Part {
  std::uint16_t no = 0;
  std::uint16_t count = 3;
  std::int32_t n_tensors = 3;
  std::string tensor = "t";
};

std::string part_bytes(const Part& part) {
  GgufBuilder file(1, part.no == 0 ? 4 : 3);
  file.u16("split.no", part.no).u16("split.count", part.count);
  file.i32("split.tensors.count", part.n_tensors);
  if (part.no == 0) file.string("general.architecture", "llama");
  return file.tensor(part.tensor, {4}, 0, 0).data(32).bytes();
}

class GgufSplit : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fmt::format("{}gguf_split_{}_{}", ::testing::TempDir(), test->name(), getpid());
    std::filesystem::create_directories(folder_);
    for (std::uint16_t no = 0; no < 3; ++no) write(no, Part{no, 3, 3, fmt::format("t{}", no)});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(int no) const {
    return fmt::format("{}/m-{:05}-of-00003.gguf", folder_, no + 1);
  }
  void write(int no, const Part& part) {
    ASSERT_TRUE(os::write_file_atomic(path(no), part_bytes(part)));
  }
  [[nodiscard]] std::string refusal() const {
    const auto file = GgufFile::open(path(0));
    EXPECT_FALSE(file);
    return file ? "accepted" : file.error().message;
  }

  std::string folder_;
};

TEST_F(GgufSplit, AnyPartOpensAll) {
  for (int no = 0; no < 3; ++no) {
    const auto file = GgufFile::open(path(no));
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->n_parts(), 3u);
    EXPECT_EQ(file->string("general.architecture").value(), "llama");
    ASSERT_EQ(file->tensors().size(), 3u);
    EXPECT_EQ(file->tensors()[2].name, "t2");
    EXPECT_EQ(file->file_bytes(), 3 * os::file_size(path(1)).value() +
                                      os::file_size(path(0)).value() -
                                      os::file_size(path(1)).value());
  }
}

TEST_F(GgufSplit, NamesTheMissingPart) {
  std::filesystem::remove(path(1));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("part 2 of 3 is missing"), HasSubstr("-00002-of-00003")));
}

TEST_F(GgufSplit, RefusesPartsThatDisagree) {
  write(1, Part{1, 4, 3, "t1"});
  EXPECT_THAT(refusal(), HasSubstr("a part of 4, but another part says 3"));
  write(1, Part{2, 3, 3, "t1"});
  EXPECT_THAT(refusal(), HasSubstr("named as part 2, but it says that it is part 3"));
  write(1, Part{1, 3, 9, "t1"});
  EXPECT_THAT(refusal(), AllOf(HasSubstr("split.tensors.count"), HasSubstr("9")));
  write(1, Part{1, 3, 3, "t0"});
  EXPECT_THAT(refusal(), HasSubstr("tensor 't0' occurs in two parts"));
  write(1, Part{1, 1, 3, "t1"});
  EXPECT_THAT(refusal(), HasSubstr("no split keys"));
}

TEST_F(GgufSplit, RefusesAWrongTotal) {
  for (std::uint16_t no = 0; no < 3; ++no) write(no, Part{no, 3, 4, fmt::format("t{}", no)});
  EXPECT_THAT(refusal(), AllOf(HasSubstr("hold 3 tensors"), HasSubstr("expected 4")));
}

TEST_F(GgufSplit, NamesADamagedPart) {
  ASSERT_TRUE(os::write_file_atomic(path(2), "version https://git-lfs.github.com/spec/v1\n"));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("-00003-of-00003.gguf"), HasSubstr("Git LFS")));
}

TEST_F(GgufSplit, ARenamedPartCannotFindTheOthers) {
  const std::string renamed = folder_ + "/renamed.gguf";
  std::filesystem::rename(path(0), renamed);
  const auto file = GgufFile::open(renamed);
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message,
              AllOf(HasSubstr("part 1 of 3"), HasSubstr("-00001-of-00003.gguf")));
}

TEST_F(GgufSplit, BytesInMemoryCannotBeSplit) {
  const std::string bytes = part_bytes({});
  const auto file = GgufFile::parse(as_byte_span(bytes), "m");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kUnsupported);
}

TEST(GgufSplitName, OnlyTheExactForm) {
  const auto name = parse_split_name("a/b-00002-of-00003.gguf");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->prefix, "a/b");
  EXPECT_EQ(name->no, 2u);
  EXPECT_EQ(split_part_path(*name, 3), "a/b-00003-of-00003.gguf");
  for (const char* other :
       {"", "m.gguf", "-0001-of-0003.gguf", "m-00000-of-00003.gguf", "m-00004-of-00003.gguf",
        "m-0000x-of-00003.gguf", "m-00001-of-00003.bin", "m-+0001-of-00003.gguf"})
    EXPECT_FALSE(parse_split_name(other)) << other;
}

}  // namespace
}  // namespace edgelm::formats
