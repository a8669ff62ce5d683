#pragma once
// Contract of the panel family: out[t, r] (+)= sum_c weights[r, c] * x[t, c] for quantized weights
// in the packed layout of layout.h, and the packing itself. This is what runs; kernels/matmul,
// which reads weights as they lie in the file, serves float types and `--no-repack`.
//
// Activations are int8 with a scale per group of 32 columns (kernels/quantize). Per output element,
// with xs and xsum the activation's scale and scaled_sum of a group:
//   dot      exact int32 of a group; Q4_K, Q5_K: times s; Q6_K: sum over halves of s * (u - 32) q
//   sum      = float chain over the groups of a chunk: fma(dot, xs, sum), or for types with a scale
//              per group fma(dot, d * xs, sum)
//   mins     = float chain over the groups of a chunk: fma(m, xsum, mins), where m is the group's
//              minimum, or its d for types with an offset (then factor = -offset)
//   out      = chain over the chunks: fma(d, sum, out) [out + sum where d is per group], then
//              fma(factor, mins, out) for types with minima or offset
// The chain depends on nothing but `cols` and the type: results are the same bits for any number of
// tokens, row range and threads, and on every instruction set that has these kernels.
//
// Over-read: none. Alignment: panels 64 bytes, the rest that of their elements.

#include <cstddef>
#include <cstdint>

#include "base/target.h"
#include "kernels/matmul/matmul.h"
#include "kernels/panel/layout.h"
#include "tensor/dtype.h"

namespace edgelm::kernels {

struct PanelArgs {
  const std::byte* panels = nullptr;  // panel p at panels + p * panel_bytes
  std::size_t panel_bytes = 0;
  std::size_t cols = 0;
  std::size_t row_begin = 0;  // multiple of kPanelRows
  std::size_t row_end = 0;    // rows at or beyond it are not written
  Activations x;              // q, scale, scaled_sum, and what PanelWants says
  std::size_t n_tokens = 0;
  float* out = nullptr;  // out[t * out_stride + r]
  std::size_t out_stride = 0;
  bool accumulate = false;  // add to out instead of overwriting
};

using PanelFn = void (*)(const PanelArgs& args);

// The function of an instruction set for a type; nullptr for types that are not packed.
PanelFn panel_scalar(tensor::DType type);
#ifdef EDGELM_X86
PanelFn panel_avx2(tensor::DType type);
PanelFn panel_vnni256(tensor::DType type);
PanelFn panel_vnni512(tensor::DType type);
#endif
#ifdef EDGELM_ARM
PanelFn panel_dotprod(tensor::DType type);
PanelFn panel_i8mm(tensor::DType type);
#endif

// An optional pointer moved on; stays nullptr.
template <class T>
const T* moved(const T* pointer, std::size_t n) {
  return pointer == nullptr ? nullptr : pointer + n;
}

// So many tokens AVX2 multiplies straight from packed bytes.
constexpr std::size_t kFewTokens = 4;

// What kernels of a set want to know of their activations beside q, scale and scaled_sum.
struct PanelWants {
  bool bias = false;
  bool wide = false;  // only for more than kFewTokens
};
#ifdef EDGELM_X86
PanelWants panel_wants_avx2(tensor::DType type);
PanelWants panel_wants_vnni(tensor::DType type);
#endif

// Activations::bias and ::wide of n (a multiple of 32) quantized activations.
void panel_bias_scalar(const std::int8_t* q, std::size_t n, std::int16_t* bias);
void panel_wide_scalar(const std::int8_t* q, std::size_t n, std::int16_t* wide);
#ifdef EDGELM_X86
void panel_bias_avx2(const std::int8_t* q, std::size_t n, std::int16_t* bias);
void panel_wide_avx2(const std::int8_t* q, std::size_t n, std::int16_t* wide);
#endif

// Bytes of one panel of `cols` columns; 0 for types that are not packed.
std::size_t panel_bytes(tensor::DType type, std::size_t cols);

// Packs rows [8 * panel_begin, 8 * panel_end) of a matrix of n_rows, as they lie in the file, into
// out, where panel p is written at out + p * panel_bytes: every byte of it, padding too.
void pack_panels(tensor::DType type, const std::byte* rows, std::size_t n_rows, std::size_t cols,
                 std::size_t panel_begin, std::size_t panel_end, std::byte* out);

}  // namespace edgelm::kernels
