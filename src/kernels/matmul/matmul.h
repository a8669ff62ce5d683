#pragma once
// Contract of the matmul family: out[t, r] (+)= sum_c weights[r, c] * x[t, c], for weight rows
// [row_begin, row_end) in the packed layout of the GGUF file and any number of tokens.
//
// Quantized weights meet activations quantized to int8 in groups of 32 (kernels/quantize): products
// are exact in int32 within a group, float32 between groups. Float weights (F32, F16, BF16) meet
// float32 activations. For one output element the order of float operations depends only on `cols`
// and the type: not on n_tokens, the row range or the tile it falls into. So results do not depend
// on threads, batch or chunking; they may differ between instruction sets within rounding.
//
// Over-read: none. Alignment: weights none, the rest that of their elements (64 bytes is faster).

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace edgelm::kernels {

constexpr std::size_t kGroup = 32;  // columns per activation scale

// n_tokens rows of activations, in float32 and (for quantized weights) in int8.
struct Activations {
  const float* f32 = nullptr;  // (n_tokens, cols), row stride = f32_stride floats
  std::size_t f32_stride = 0;
  const std::int8_t* q = nullptr;     // (n_tokens, cols), values in [-127, 127], stride q_stride
  std::size_t q_stride = 0;           // multiple of 32
  const float* scale = nullptr;       // (n_tokens, cols / 32), row stride = scale_stride floats
  const float* scaled_sum = nullptr;  // scale * sum of the group's q, same layout
  std::size_t scale_stride = 0;
  // -32 * sum of q over columns 4i, 4i+1 | 4i+2, 4i+3 of the first and of the second 16 columns of
  // each group: (n_tokens, cols / 32, 4), row stride = 4 * scale_stride. For kernels/panel.
  const std::int16_t* bias = nullptr;
  // q as int16, each four columns in the order 0, 2, 1, 3: (n_tokens, cols), row stride = q_stride.
  // For kernels/panel.
  const std::int16_t* wide = nullptr;
};

struct MatmulArgs {
  const std::byte* weights = nullptr;  // row 0; row r at weights + r * row_bytes
  std::size_t row_bytes = 0;
  std::size_t cols = 0;  // multiple of the type's block_elements
  std::size_t row_begin = 0;
  std::size_t row_end = 0;
  Activations x;
  std::size_t n_tokens = 0;
  float* out = nullptr;  // out[t * out_stride + r]
  std::size_t out_stride = 0;
  bool accumulate = false;  // add to out instead of overwriting
};

using MatmulFn = void (*)(const MatmulArgs& args);

// The function of an instruction set for a type; nullptr for a type that is not in the dtype table.
MatmulFn matmul_scalar(tensor::DType type);
MatmulFn matmul_avx2(tensor::DType type);
MatmulFn matmul_neon(tensor::DType type);
MatmulFn matmul_dotprod(tensor::DType type);

}  // namespace edgelm::kernels
