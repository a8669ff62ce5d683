// Every tensor type against blocks computed by hand and against a second, independent reading of
// the format: element by element, bit by bit, from the layouts of ggml-common.h.

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/half.h"
#include "support/guarded_buffer.h"
#include "support/random_blocks.h"
#include "tensor/dtype.h"

namespace edgelm::tensor {
namespace {

int byte_at(const std::byte* block, std::size_t index) {
  return std::to_integer<int>(block[index]);
}

int bit_at(const std::byte* bits, std::size_t index) {
  return (byte_at(bits, index / 8) >> (index % 8)) & 1;
}

float half_at(const std::byte* block, std::size_t index) {
  return half_to_float(
      static_cast<std::uint16_t>(byte_at(block, index) | (byte_at(block, index + 1) << 8)));
}

int nibble32(const std::byte* qs, std::size_t j) {  // of a 32-element block
  return j < 16 ? byte_at(qs, j) % 16 : byte_at(qs, j - 16) / 16;
}

int nibble256(const std::byte* qs, std::size_t j) {  // of a Q4_K or Q5_K block
  const int packed = byte_at(qs, j / 64 * 32 + j % 32);
  return j / 32 % 2 == 0 ? packed % 16 : packed / 16;
}

float with_min(const std::byte* block, std::size_t j, int q) {
  const std::byte* scales = block + 4;
  const std::size_t g = j / 32;
  int scale = 0;
  int min = 0;
  if (g < 4) {
    scale = byte_at(scales, g) % 64;
    min = byte_at(scales, g + 4) % 64;
  } else {
    scale = byte_at(scales, g + 4) % 16 + byte_at(scales, g - 4) / 64 * 16;
    min = byte_at(scales, g + 4) / 16 + byte_at(scales, g) / 64 * 16;
  }
  const float d = half_at(block, 0) * static_cast<float>(scale);
  const float m = half_at(block, 2) * static_cast<float>(min);
  return d * static_cast<float>(q) - m;
}

float q6_k(const std::byte* block, std::size_t j) {
  const std::size_t half = j / 128;
  const std::size_t in_half = j % 128;
  const int packed = byte_at(block, half * 64 + in_half % 64);
  const int low = in_half < 64 ? packed % 16 : packed / 16;
  const int high = byte_at(block + 128, half * 32 + in_half % 32) >> (in_half / 32 * 2) & 3;
  const auto scale = static_cast<std::int8_t>(byte_at(block, 192 + j / 16));
  return half_at(block, 208) * static_cast<float>(scale) * static_cast<float>(low + 16 * high - 32);
}

// Element j of one block, in the order of float operations of ggml-quants.c.
float reference(DType type, const std::byte* block, std::size_t j) {
  switch (type) {
    case DType::kF32: {
      float value = 0;
      std::memcpy(&value, block, 4);
      return value;
    }
    case DType::kF16:
      return half_at(block, 0);
    case DType::kBF16: {
      const std::byte wide[4] = {std::byte{0}, std::byte{0}, block[0], block[1]};
      float value = 0;
      std::memcpy(&value, wide, 4);
      return value;
    }
    case DType::kQ4_0:
      return static_cast<float>(nibble32(block + 2, j) - 8) * half_at(block, 0);
    case DType::kQ5_0:
      return static_cast<float>(nibble32(block + 6, j) + 16 * bit_at(block + 2, j) - 16) *
             half_at(block, 0);
    case DType::kQ5_1:
      return static_cast<float>(nibble32(block + 8, j) + 16 * bit_at(block + 4, j)) *
                 half_at(block, 0) +
             half_at(block, 2);
    case DType::kQ8_0:
      return static_cast<float>(static_cast<std::int8_t>(byte_at(block, 2 + j))) *
             half_at(block, 0);
    case DType::kQ4_K:
      return with_min(block, j, nibble256(block + 16, j));
    case DType::kQ5_K:
      return with_min(block, j,
                      nibble256(block + 48, j) + 16 * bit_at(block + 16 + j % 32, j / 32));
    case DType::kQ6_K:
      return q6_k(block, j);
  }
  return 0;
}

void check_against_reference(DType type, test::Blocks blocks, std::uint64_t seed) {
  const DTypeInfo& info = dtype_info(type);
  const std::size_t n_blocks = 1024 / info.block_elements;
  SCOPED_TRACE(std::string(info.name) + ", " + std::string(test::name_of(blocks)));
  test::GuardedBuffer<std::byte> packed(n_blocks * info.block_bytes);
  test::GuardedBuffer<float> out(1024);
  Random random(seed);
  test::fill_blocks(type, 1024, blocks, random, packed.data());
  info.dequantize(packed.data(), 1024, out.data());
  EXPECT_TRUE(out.intact());
  std::set<float> distinct;
  for (std::size_t i = 0; i < 1024; ++i) {
    const std::byte* block = packed.data() + i / info.block_elements * info.block_bytes;
    const float expected = reference(type, block, i % info.block_elements);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(expected))
        << "element " << i << ": " << out[i] << ", expected " << expected;
    distinct.insert(out[i]);
  }
  if (blocks == test::Blocks::kRandom) {
    EXPECT_GT(distinct.size(), 100u);
  }
}

TEST(DType, DequantizesBitExactly) {
  test::for_each_type([](DType type) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      check_against_reference(type, test::Blocks::kRandom, seed);
    }
    check_against_reference(type, test::Blocks::kAllBitsSet, 1);
    check_against_reference(type, test::Blocks::kMostNegative, 1);
    check_against_reference(type, test::Blocks::kZeroScale, 1);
  });
}

// A block of `type` with f16 fields `halves`, then zeros, then the given bytes.
struct Poke {
  std::size_t at;
  int value;
};

std::vector<float> dequantize(DType type, const std::vector<Poke>& halves,
                              const std::vector<Poke>& bytes) {
  const DTypeInfo& info = dtype_info(type);
  std::vector<std::byte> block(info.block_bytes);
  for (const auto& [at, value] : halves) {
    store_le(block.data() + at, float_to_half(static_cast<float>(value)));
  }
  for (const auto& [at, value] : bytes) block[at] = static_cast<std::byte>(value);
  std::vector<float> out(info.block_elements);
  info.dequantize(block.data(), out.size(), out.data());
  return out;
}

TEST(DType, SmallBlocksByHand) {
  const auto q4_0 = dequantize(DType::kQ4_0, {{0, 2}}, {{2, 0xf1}, {17, 0x8c}});
  EXPECT_EQ(q4_0[0], -14);  // 2 * (1 - 8)
  EXPECT_EQ(q4_0[16], 14);  // 2 * (15 - 8)
  EXPECT_EQ(q4_0[15], 8);   // 2 * (12 - 8)
  EXPECT_EQ(q4_0[31], 0);   // 2 * (8 - 8)
  EXPECT_EQ(q4_0[1], -16);  // 2 * (0 - 8)

  // Fifth bits of elements 1 and 31.
  const auto q5_0 = dequantize(DType::kQ5_0, {{0, 1}}, {{2, 0x02}, {5, 0x80}, {7, 3}, {21, 0xf0}});
  EXPECT_EQ(q5_0[1], 3);    // 16 + 3 - 16
  EXPECT_EQ(q5_0[31], 15);  // 16 + 15 - 16
  EXPECT_EQ(q5_0[0], -16);

  const auto q5_1 = dequantize(DType::kQ5_1, {{0, 2}, {2, -5}}, {{4, 0x01}, {8, 0x21}, {9, 0x30}});
  EXPECT_EQ(q5_1[0], 29);   // 2 * (16 + 1) - 5
  EXPECT_EQ(q5_1[16], -1);  // 2 * 2 - 5
  EXPECT_EQ(q5_1[17], 1);   // 2 * 3 - 5
  EXPECT_EQ(q5_1[2], -5);

  const auto q8_0 = dequantize(DType::kQ8_0, {{0, 3}}, {{2, 0x80}, {33, 0x7f}});
  EXPECT_EQ(q8_0[0], -384);
  EXPECT_EQ(q8_0[31], 381);
  EXPECT_EQ(q8_0[1], 0);
}

TEST(DType, SuperBlocksByHand) {
  // Group 1: scale 5, minimum 7. Group 6: low nibbles 3 and 4 in byte 14, upper bits 2 and 1 on top
  // of bytes 6 - 4 and 6, so scale 35 and minimum 20.
  const std::vector<Poke> scales = {
      {4 + 1, 5}, {4 + 5, 7}, {4 + 10, 0x43}, {4 + 2, 2 << 6}, {4 + 6, 1 << 6}};
  auto bytes = scales;
  bytes.push_back({16 + 2, 0x90});        // group 1, element 2: high nibble 9
  bytes.push_back({16 + 96 + 31, 0x0b});  // group 6, element 31: low nibble 11
  const auto q4_k = dequantize(DType::kQ4_K, {{0, 2}, {2, 3}}, bytes);
  EXPECT_EQ(q4_k[32 + 2], 2 * 5 * 9 - 3 * 7);
  EXPECT_EQ(q4_k[32], -3 * 7);
  EXPECT_EQ(q4_k[6 * 32 + 31], 2 * 35 * 11 - 3 * 20);
  EXPECT_EQ(q4_k[0], 0);

  bytes = scales;
  bytes.push_back({48 + 2, 0x90});
  bytes.push_back({48 + 96 + 31, 0x0b});
  bytes.push_back({16 + 2, 1 << 1});   // fifth bit of group 1, element 2
  bytes.push_back({16 + 31, 1 << 6});  // fifth bit of group 6, element 31
  const auto q5_k = dequantize(DType::kQ5_K, {{0, 2}, {2, 3}}, bytes);
  EXPECT_EQ(q5_k[32 + 2], 2 * 5 * 25 - 3 * 7);
  EXPECT_EQ(q5_k[6 * 32 + 31], 2 * 35 * 27 - 3 * 20);

  // Element 128 + 96 + 17: ql byte 64 + 49, high nibble; qh byte 32 + 17, bits 6 and 7; scale 15.
  const auto q6_k = dequantize(DType::kQ6_K, {{208, 2}},
                               {{113, 0xa0}, {128 + 49, 2 << 6}, {192 + 15, 0xfd}, {192, 4}});
  EXPECT_EQ(q6_k[241], 2 * -3 * (10 + 32 - 32));
  EXPECT_EQ(q6_k[242], 2 * -3 * -32);
  EXPECT_EQ(q6_k[0], 2 * 4 * -32);
}

TEST(DType, LooksUpByIdAndName) {
  for (const auto& [type, name] :
       std::initializer_list<std::pair<DType, const char*>>{{DType::kF32, "F32"},
                                                            {DType::kF16, "F16"},
                                                            {DType::kQ4_0, "Q4_0"},
                                                            {DType::kQ5_0, "Q5_0"},
                                                            {DType::kQ5_1, "Q5_1"},
                                                            {DType::kQ8_0, "Q8_0"},
                                                            {DType::kQ4_K, "Q4_K"},
                                                            {DType::kQ5_K, "Q5_K"},
                                                            {DType::kQ6_K, "Q6_K"},
                                                            {DType::kBF16, "BF16"}}) {
    const auto id = static_cast<std::uint32_t>(type);
    ASSERT_NE(find_dtype(id), nullptr) << name;
    EXPECT_EQ(find_dtype(id)->name, name);
    EXPECT_EQ(gguf_type_name(id), name);
    EXPECT_EQ(&dtype_info(type), find_dtype(id));
    EXPECT_EQ(find_dtype(std::string_view(name)), find_dtype(id));
  }
  EXPECT_EQ(find_dtype("q4_k"), find_dtype("Q4_K"));
  EXPECT_EQ(find_dtype("Q4_K_M"), nullptr);  // a mixture of types, not a type
  EXPECT_EQ(find_dtype(""), nullptr);
  EXPECT_EQ(find_dtype(17), nullptr);
  EXPECT_EQ(gguf_type_name(17), "IQ2_XS");
  EXPECT_EQ(gguf_type_name(39), "MXFP4");
  EXPECT_EQ(gguf_type_name(43), "");
  EXPECT_EQ(find_dtype(0xffffffffu), nullptr);
}

}  // namespace
}  // namespace edgelm::tensor
