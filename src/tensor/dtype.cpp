// The table of tensor types, derived from types/all.h, and their scalar dequantization. Readers of
// model files, the memory plan and every kernel look types up here.

#include "tensor/dtype.h"

#include <array>
#include <utility>

#include "tensor/types/all.h"

namespace edgelm::tensor {
namespace {

template <class Type>
void dequantize(const std::byte* blocks, std::size_t n_elements, float* out) {
  if constexpr (!Type::kQuantized) {
    for (std::size_t i = 0; i < n_elements; ++i)
      out[i] = Type::value(blocks + i * Type::kBlockBytes);
  } else {
    constexpr std::size_t kGroupsPerBlock = Type::kBlockElements / kGroupElements;
    for (std::size_t g = 0; g < n_elements / kGroupElements; ++g) {
      const std::byte* block = blocks + g / kGroupsPerBlock * Type::kBlockBytes;
      const Group group = Type::group(block, g % kGroupsPerBlock);
      for (std::size_t j = 0; j < kGroupElements; ++j) {
        const std::int32_t sub_scale = group.sub_scale[j / 16];
        const float scale = group.scale * static_cast<float>(sub_scale);
        float value = scale * static_cast<float>(group.q[j]);
        if constexpr (Type::kHasOffset) value += group.offset;
        out[g * kGroupElements + j] = value;
      }
    }
  }
}

template <class... Types>
constexpr std::array<DTypeInfo, sizeof...(Types)> make_table(TypeList<Types...>) {
  return {DTypeInfo{Types::kType, Types::kName, Types::kBlockElements, Types::kBlockBytes,
                    Types::kQuantized, dequantize<Types>}...};
}

constexpr auto kTable = make_table(AllTypes{});

// Every id the format has given out (ggml.h, enum ggml_type); 4, 5, 31..33 and 36..38 are retired.
constexpr std::pair<std::uint32_t, std::string_view> kGgufNames[] = {
    {0, "F32"},     {1, "F16"},         {2, "Q4_0"},        {3, "Q4_1"},        {4, "Q4_2"},
    {5, "Q4_3"},    {6, "Q5_0"},        {7, "Q5_1"},        {8, "Q8_0"},        {9, "Q8_1"},
    {10, "Q2_K"},   {11, "Q3_K"},       {12, "Q4_K"},       {13, "Q5_K"},       {14, "Q6_K"},
    {15, "Q8_K"},   {16, "IQ2_XXS"},    {17, "IQ2_XS"},     {18, "IQ3_XXS"},    {19, "IQ1_S"},
    {20, "IQ4_NL"}, {21, "IQ3_S"},      {22, "IQ2_S"},      {23, "IQ4_XS"},     {24, "I8"},
    {25, "I16"},    {26, "I32"},        {27, "I64"},        {28, "F64"},        {29, "IQ1_M"},
    {30, "BF16"},   {31, "Q4_0_4_4"},   {32, "Q4_0_4_8"},   {33, "Q4_0_8_8"},   {34, "TQ1_0"},
    {35, "TQ2_0"},  {36, "IQ4_NL_4_4"}, {37, "IQ4_NL_4_8"}, {38, "IQ4_NL_8_8"}, {39, "MXFP4"},
    {40, "NVFP4"},  {41, "Q1_0"},       {42, "Q2_0"},
};

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (upper(a[i]) != upper(b[i])) return false;
  }
  return true;
}

}  // namespace

const DTypeInfo* find_dtype(std::uint32_t gguf_id) {
  for (const DTypeInfo& info : kTable) {
    if (static_cast<std::uint32_t>(info.type) == gguf_id) return &info;
  }
  return nullptr;
}

const DTypeInfo* find_dtype(std::string_view name) {
  for (const DTypeInfo& info : kTable) {
    if (equal_ignoring_case(info.name, name)) return &info;
  }
  return nullptr;
}

const DTypeInfo& dtype_info(DType type) {
  const DTypeInfo* info = find_dtype(static_cast<std::uint32_t>(type));
  return info != nullptr ? *info : kTable[0];  // every DType is in the table (dtype_test.cpp)
}

std::string_view gguf_type_name(std::uint32_t gguf_id) {
  for (const auto& [id, name] : kGgufNames) {
    if (id == gguf_id) return name;
  }
  return {};
}

}  // namespace edgelm::tensor
