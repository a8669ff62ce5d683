// Matmul with NEON and SDOT (ARMv8.2 dot product: Cortex-A55, A76 and later; Raspberry Pi 5, Jetson
// Orin). Called through the kernel table. Few tokens: the tiles of neon_tiles.inc; many tokens and
// quantized weights: dotprod_panel.h.

#include "base/target.h"

#ifdef EDGELM_ARM

#include "kernels/matmul/tables.h"

#if !defined(__clang__)  // see neon_tiles.inc, register pressure
#pragma GCC optimize("no-schedule-insns")
#endif

#include "kernels/matmul/dotprod_panel.h"

#define EDGELM_TILE EDGELM_DOTPROD
#define EDGELM_TILE_INLINE EDGELM_DOTPROD_INLINE

namespace edgelm::kernels {
namespace {

// MOVI and one SDOT.
EDGELM_DOTPROD_INLINE int32x4_t dot_16(int8x16_t w, int8x16_t x) {
  return vdotq_s32(vdupq_n_s32(0), w, x);
}

// MOVI and two SDOT: 3 instructions for 32 weights.
template <bool kSmall>
EDGELM_DOTPROD_INLINE int32x4_t dot_32(tensor::GroupNeon w, tensor::GroupNeon x) {
  return vdotq_s32(vdotq_s32(vdupq_n_s32(0), w.low, x.low), w.high, x.high);
}

#include "kernels/matmul/neon_tiles.inc"

// From this many tokens on, decoding into a panel costs less than decoding for every tile.
constexpr std::size_t kFirstPanelToken = 8;

template <class Type>
void matmul(const MatmulArgs& args) {
  if constexpr (!Type::kQuantized) {
    walk_tiles<NeonKernel<Type>>(args);
  } else {
    if (args.n_tokens < kFirstPanelToken) return walk_tiles<NeonKernel<Type>>(args);
    MatmulArgs rest = args;
    rest.row_begin = args.row_end - (args.row_end - args.row_begin) % kPanelRows;
    for (std::size_t token = 0; token < args.n_tokens; token += kPanelTokens) {
      const std::size_t left = args.n_tokens - token;
      const std::size_t n_tokens = left < kPanelTokens ? left : kPanelTokens;
      for (std::size_t row = args.row_begin; row < rest.row_begin; row += kPanelRows)
        panel_rows<Type>(args, row, token, n_tokens);
    }
    walk_tiles<NeonKernel<Type>>(rest);
  }
}

struct DotprodSet {
  template <class Type>
  static constexpr MatmulFn kFunction = matmul<Type>;
};

}  // namespace

MatmulFn matmul_dotprod(tensor::DType type) { return find_matmul<DotprodSet>(type); }

}  // namespace edgelm::kernels

#endif
