// Block sizes by type id. Source: ggml's ggml-common.h (block_* structs) and ggml.h (enum
// ggml_type).

#include "formats/gguf_types.h"

#include <fmt/format.h>

#include <array>

#include "tensor/dtype.h"

namespace edgelm::formats {
namespace {

constexpr std::uint32_t kIdLimit = 64;  // above every id in use; for enumeration only

struct Row {
  std::uint32_t id;
  BlockGeometry geometry;
};

constexpr std::array kRows = {
    Row{0, {1, 4}},       // F32
    Row{1, {1, 2}},       // F16
    Row{2, {32, 18}},     // Q4_0
    Row{3, {32, 20}},     // Q4_1
    Row{6, {32, 22}},     // Q5_0
    Row{7, {32, 24}},     // Q5_1
    Row{8, {32, 34}},     // Q8_0
    Row{9, {32, 36}},     // Q8_1
    Row{10, {256, 84}},   // Q2_K
    Row{11, {256, 110}},  // Q3_K
    Row{12, {256, 144}},  // Q4_K
    Row{13, {256, 176}},  // Q5_K
    Row{14, {256, 210}},  // Q6_K
    Row{15, {256, 292}},  // Q8_K
    Row{16, {256, 66}},   // IQ2_XXS
    Row{17, {256, 74}},   // IQ2_XS
    Row{18, {256, 98}},   // IQ3_XXS
    Row{19, {256, 50}},   // IQ1_S
    Row{20, {32, 18}},    // IQ4_NL
    Row{21, {256, 110}},  // IQ3_S
    Row{22, {256, 82}},   // IQ2_S
    Row{23, {256, 136}},  // IQ4_XS
    Row{24, {1, 1}},      // I8
    Row{25, {1, 2}},      // I16
    Row{26, {1, 4}},      // I32
    Row{27, {1, 8}},      // I64
    Row{28, {1, 8}},      // F64
    Row{29, {256, 56}},   // IQ1_M
    Row{30, {1, 2}},      // BF16
    Row{34, {256, 54}},   // TQ1_0
    Row{35, {256, 66}},   // TQ2_0
    Row{39, {32, 17}},    // MXFP4
    Row{40, {64, 36}},    // NVFP4
    Row{41, {128, 18}},   // Q1_0
    Row{42, {64, 18}},    // Q2_0
};

}  // namespace

std::optional<BlockGeometry> block_geometry(std::uint32_t type_id) {
  if (const tensor::DTypeInfo* info = tensor::find_dtype(type_id))
    return BlockGeometry{info->block_elements, info->block_bytes};
  for (const Row& row : kRows)
    if (row.id == type_id) return row.geometry;
  return std::nullopt;
}

std::string tensor_type_label(std::uint32_t type_id) {
  const std::string_view name = tensor::gguf_type_name(type_id);
  return name.empty() ? fmt::format("type {}", type_id) : std::string(name);
}

std::string runnable_types() {
  std::string names;
  for (std::uint32_t id = 0; id < kIdLimit; ++id)
    if (const tensor::DTypeInfo* info = tensor::find_dtype(id))
      names += fmt::format("{}{}", names.empty() ? "" : ", ", info->name);
  return names;
}

}  // namespace edgelm::formats
