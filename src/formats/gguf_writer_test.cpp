// What the writer writes, the reader reads back: chosen cases, then seeded random files.

#include "formats/gguf_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "os/file.h"

namespace edgelm::formats {
namespace {

using tensor::DType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

tensor::Shape shape_of(std::initializer_list<std::uint64_t> dims) {
  tensor::Shape shape;
  shape.n_dims = static_cast<std::uint32_t>(dims.size());
  std::copy(dims.begin(), dims.end(), shape.dims.begin());
  return shape;
}

std::string random_text(Random& random, std::size_t max_bytes) {
  std::string text(random.below(max_bytes + 1), '\0');
  for (char& c : text) c = static_cast<char>(random.below(256));
  return text;
}

template <class T>
void set_random(GgufWriter& writer, const std::string& key, Random& random) {
  writer.set(key, static_cast<T>(random.bits()));
}

template <class T>
void set_random_array(GgufWriter& writer, const std::string& key, Random& random) {
  std::vector<T> values(random.below(9));
  for (T& value : values) value = static_cast<T>(random.bits());
  writer.set_array(key, values);
}

void set_any(GgufWriter& writer, const std::string& key, Random& random) {
  switch (random.below(16)) {
    case 0:
      return set_random<std::uint8_t>(writer, key, random);
    case 1:
      return set_random<std::int8_t>(writer, key, random);
    case 2:
      return set_random<std::uint16_t>(writer, key, random);
    case 3:
      return set_random<std::int16_t>(writer, key, random);
    case 4:
      return set_random<std::uint32_t>(writer, key, random);
    case 5:
      return set_random<std::int32_t>(writer, key, random);
    case 6:
      return set_random<std::uint64_t>(writer, key, random);
    case 7:
      return set_random<std::int64_t>(writer, key, random);
    case 8:
      return writer.set(key, random.uniform(-1, 1));
    case 9:
      return writer.set(key, random.unit());
    case 10:
      return writer.set(key, random.below(2) == 1);
    case 11:
      return set_random_array<std::int16_t>(writer, key, random);
    case 12:
      return set_random_array<float>(writer, key, random);
    case 13:
      return writer.set_array(key, std::vector<bool>{true, random.below(2) == 1});
    case 14: {
      std::vector<std::string> texts(random.below(9));
      for (std::string& text : texts) text = random_text(random, 12);
      return writer.set_array(key, texts);
    }
    default:
      return writer.set(key, random_text(random, 40));
  }
}

TEST(GgufWriter, RandomFilesSurviveTwoRounds) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    GgufWriter writer;
    if (random.below(2) == 1)
      writer.set("general.alignment", static_cast<std::uint32_t>(8 << random.below(6)));
    const std::uint64_t n_values = random.below(20);
    for (std::uint64_t i = 0; i < n_values; ++i) set_any(writer, fmt::format("k.{}", i), random);
    std::vector<std::string> contents(random.below(6));
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const bool quantized = random.below(2) == 1;
      const auto shape =
          shape_of({32 * (1 + random.below(3)), 1 + random.below(4), 1 + random.below(2)});
      contents[i].resize(shape.elements() / 32 * (quantized ? 34 : 128));
      for (char& c : contents[i]) c = static_cast<char>(random.below(256));
      writer.add_tensor(fmt::format("t.{}", i), quantized ? DType::kQ8_0 : DType::kF32, shape,
                        as_byte_span(contents[i]));
    }
    const auto bytes = writer.to_bytes();
    ASSERT_TRUE(bytes) << bytes.error().message;
    const auto file = GgufFile::parse(as_byte_span(*bytes), "m.gguf");
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_EQ(file->tensors().size(), contents.size());

    GgufWriter again;  // a copy made from what was read is the same file, byte for byte
    for (const GgufValue& value : file->metadata()) again.copy(value);
    for (std::size_t i = 0; i < contents.size(); ++i) {
      const tensor::TensorView& view = file->tensors()[i];
      EXPECT_EQ(as_chars(view.data), contents[i]);
      again.add_tensor(std::string(view.name), view.type, view.shape, view.data);
    }
    EXPECT_EQ(again.to_bytes().value(), *bytes);
  }
}

TEST(GgufWriter, ValuesComeBackAsWritten) {
  GgufWriter writer;
  writer.set("s", "old");
  writer.set("n", std::int64_t{-3});
  writer.set("s", "new");  // replaces, keeps its place
  writer.set_array("list", std::vector<std::string>{"x", std::string("\0y", 2)});
  const auto bytes = writer.to_bytes();
  ASSERT_TRUE(bytes);
  const auto file = GgufFile::parse(as_byte_span(*bytes), "m.gguf");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->metadata()[0].key, "s");
  EXPECT_EQ(file->string("s").value(), "new");
  EXPECT_EQ(std::get<std::int64_t>(file->find("n")->value), -3);
  EXPECT_THAT(file->array("list", GgufType::kString)->strings(),
              ElementsAre("x", std::string_view("\0y", 2)));
}

TEST(GgufWriter, AProducerFillsItsTensorOrFails) {
  GgufWriter writer;
  writer.add_tensor("t", DType::kF16, shape_of({3}),
                    [](std::uint64_t first_row, std::span<std::byte> out) -> Status {
                      EXPECT_EQ(first_row, 0u);
                      EXPECT_EQ(out.size(), 6u);
                      std::memset(out.data(), 7, out.size());
                      return {};
                    });
  const auto bytes = writer.to_bytes();
  ASSERT_TRUE(bytes);
  const auto file = GgufFile::parse(as_byte_span(*bytes), "m.gguf");
  ASSERT_TRUE(file);
  EXPECT_EQ(as_chars(file->tensors()[0].data), std::string(6, '\7'));
  writer.add_tensor("u", DType::kF16, shape_of({3}),
                    [](std::uint64_t, std::span<std::byte>) -> Status {
                      return fail(ErrorCode::kIo, "no more");
                    });
  EXPECT_EQ(writer.to_bytes().error().message, "no more");
}

TEST(GgufWriter, AProducerIsAskedForEveryRowOnceAndInOrder) {
  constexpr std::uint64_t kRowFloats = 3000;
  constexpr std::uint64_t kRows = 500;  // 6 MB: several pieces
  GgufWriter writer;
  std::uint64_t next = 0;
  std::size_t largest = 0;
  writer.add_tensor("t", DType::kF32, shape_of({kRowFloats, kRows}),
                    [&](std::uint64_t first_row, std::span<std::byte> out) -> Status {
                      EXPECT_EQ(first_row, next);
                      EXPECT_EQ(out.size() % (kRowFloats * 4), 0u);
                      next += out.size() / (kRowFloats * 4);
                      largest = std::max(largest, out.size());
                      std::memset(out.data(), static_cast<int>(first_row), out.size());
                      return {};
                    });
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t written = 0;
  const auto sink = [&](Bytes piece) -> Status {
    written += piece.size();
    return {};
  };
  ASSERT_TRUE(writer.stream(sink, [&](std::uint64_t done_bytes, std::uint64_t total_bytes) {
    EXPECT_GT(done_bytes, done);
    done = done_bytes;
    total = total_bytes;
  }));
  EXPECT_EQ(next, kRows);
  EXPECT_LE(largest, std::size_t{1} << 20);
  EXPECT_EQ(done, total);
  EXPECT_EQ(written, total);
}

TEST(GgufWriter, RefusesWhatTheReaderWouldRefuse) {
  const std::string data(64, 'x');
  const auto refusal = [&](const std::string& name, DType type, const tensor::Shape& shape) {
    GgufWriter writer;
    writer.add_tensor("w", DType::kF32, shape_of({1}), as_byte_span(data).first(4));
    writer.add_tensor(name, type, shape, as_byte_span(data));
    const auto bytes = writer.to_bytes();
    return bytes ? std::string("accepted") : bytes.error().message;
  };
  EXPECT_EQ(refusal("v", DType::kF32, shape_of({4, 4})), "accepted");
  EXPECT_THAT(refusal("w", DType::kF32, shape_of({4, 4})), HasSubstr("added twice"));
  EXPECT_THAT(refusal("", DType::kF32, shape_of({4, 4})), HasSubstr("0 bytes long"));
  EXPECT_THAT(refusal("v", DType::kF32, shape_of({4, 5})), HasSubstr("64 bytes, expected 80"));
  EXPECT_THAT(refusal("v", DType::kQ8_0, shape_of({16})), HasSubstr("multiple of 32"));
  EXPECT_THAT(refusal("v", DType::kF32, shape_of({4, 0})), HasSubstr("4x0"));
  GgufWriter writer;
  writer.set("general.alignment", std::uint32_t{20});
  EXPECT_THAT(writer.to_bytes().error().message, HasSubstr("general.alignment"));
}

TEST(GgufWriter, WritesAFileThatOpens) {
  const std::string path = fmt::format("{}gguf_writer_{}.gguf", ::testing::TempDir(), getpid());
  GgufWriter writer;
  writer.set("general.name", "written");
  ASSERT_TRUE(writer.write(path));
  const auto file = GgufFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->string("general.name").value(), "written");
  std::filesystem::remove(path);
}

TEST(GgufWriter, LeavesNothingBehindWhenItFails) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / fmt::format("gguf_writer_{}", getpid());
  std::filesystem::create_directory(folder);
  GgufWriter writer;
  writer.add_tensor("t", DType::kF16, shape_of({3}),
                    [](std::uint64_t, std::span<std::byte>) -> Status {
                      return fail(ErrorCode::kIo, "no more");
                    });
  EXPECT_FALSE(writer.write((folder / "m.gguf").string()));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace edgelm::formats
