#pragma once
// Tensor element types: ids as in GGUF, block geometry, and dequantization. Everything particular
// to one type (block layout, how its numbers come out on each instruction set) stands in one file,
// src/tensor/types/<type>.h; types/all.h lists them.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace edgelm::tensor {

// Values are the ids of the GGUF format (ggml.h, enum ggml_type).
enum class DType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

struct DTypeInfo {
  DType type;
  std::string_view name;         // as the field writes it: "Q4_K"
  std::uint32_t block_elements;  // elements per block; a row is a whole number of blocks
  std::uint32_t block_bytes;
  bool quantized;  // matmul takes activations quantized to int8 (otherwise float32)
  // Writes n_elements floats (a multiple of block_elements) from packed blocks; bit-exact with the
  // reference formula of the type. `blocks` needs no alignment.
  void (*dequantize)(const std::byte* blocks, std::size_t n_elements, float* out);
};

// nullptr when this build has no such type.
const DTypeInfo* find_dtype(std::uint32_t gguf_id);
const DTypeInfo* find_dtype(std::string_view name);  // case-insensitive
const DTypeInfo& dtype_info(DType type);

// The name the format gives to an id, also for ids edgelm cannot run ("IQ2_XS"); "" when unknown.
std::string_view gguf_type_name(std::uint32_t gguf_id);

}  // namespace edgelm::tensor
