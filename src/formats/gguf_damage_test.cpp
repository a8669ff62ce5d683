// Damage without a plan: every prefix of a small valid file, every single byte changed. The reader
// may accept or refuse; what it accepts must be safe to walk. Run these under ASan and UBSan.

#include <gtest/gtest.h>

#include <string>

#include "formats/gguf.h"
#include "support/gguf_builder.h"

namespace edgelm::formats {
namespace {

std::string small_file() {
  test::GgufBuilder file(3, 6);
  file.u32("general.alignment", 64);
  file.string("general.architecture", "llama");
  file.key("flag", 7).raw<std::uint8_t>(1);
  file.array("tokens", 8, 3).text("a").text("bc").text("");
  file.array("scores", 6, 2).raw(1.0f).raw(-1.0f);
  file.key("rate", 12).raw(0.5);
  file.tensor("a", {4, 2}, 0, 0).tensor("b", {32, 2}, 8, 64).tensor("c", {3}, 1, 192);
  return file.data(198, 64).bytes();
}

// Touches everything a caller could; the sum keeps the compiler from dropping the reads.
std::size_t walk(const GgufFile& file) {
  std::size_t sum = 0;
  for (const GgufValue& value : file.metadata()) {
    sum += value.key.size();
    if (const auto* array = std::get_if<GgufArray>(&value.value))
      sum += array->strings().size() + array->numbers().size();
  }
  for (const tensor::TensorView& view : file.tensors())
    for (const std::byte byte : view.data) sum += static_cast<std::size_t>(byte);
  return sum;
}

TEST(GgufDamage, EveryTruncationIsRefused) {
  const std::string whole = small_file();
  ASSERT_TRUE(GgufFile::parse(as_byte_span(whole), "m.gguf"));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    // A copy of the exact length, so that a sanitizer sees a read past the end.
    const std::string prefix = whole.substr(0, length);
    const auto file = GgufFile::parse(as_byte_span(prefix), "m.gguf");
    ASSERT_FALSE(file) << "accepted " << length << " of " << whole.size() << " bytes";
    ASSERT_NE(file.error().message.find("m.gguf"), std::string::npos);
  }
}

TEST(GgufDamage, EveryByteFlipParsesOrIsRefused) {
  const std::string whole = small_file();
  int n_accepted = 0;
  int n_refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      const auto file = GgufFile::parse(as_byte_span(damaged), "m.gguf", TypePolicy::kKnown);
      (file ? n_accepted : n_refused) += 1;
      if (file) {
        EXPECT_GT(walk(*file), 0u);
      }
    }
  }
  // Both must happen, or the test exercises nothing: data bytes are free, counts are not.
  EXPECT_GT(n_accepted, 300);
  EXPECT_GT(n_refused, 300);
}

}  // namespace
}  // namespace edgelm::formats
