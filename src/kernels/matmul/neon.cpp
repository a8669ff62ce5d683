// Matmul with base NEON (any 64-bit ARM, e.g. Cortex-A53 and A72). Called through the kernel table.
// int8 products go to int16 (SMULL, SMLAL) and from there to int32; for the rest see
// neon_tiles.inc.

#include "base/target.h"

#ifdef EDGELM_ARM

#include "kernels/matmul/tables.h"

#define EDGELM_TILE
#define EDGELM_TILE_INLINE EDGELM_NEON_INLINE

#if !defined(__clang__)  // see neon_tiles.inc, register pressure
#pragma GCC optimize("no-schedule-insns")
#endif

namespace edgelm::kernels {
namespace {

// 3 instructions. A sum of two products is at most 2 * 128 * 127 = 32512.
EDGELM_NEON_INLINE int32x4_t dot_16(int8x16_t w, int8x16_t x) {
  return vpaddlq_s16(vmlal_high_s8(vmull_s8(vget_low_s8(w), vget_low_s8(x)), w, x));
}

// Small weights: SMULL, 3 SMLAL, SADDLP: 5 instructions, at most 4 * 63 * 127 = 32004 in int16.
// Others: SMULL and SMLAL twice, SADDLP, SADALP: 6 instructions.
template <bool kSmall>
EDGELM_NEON_INLINE int32x4_t dot_32(tensor::GroupNeon w, tensor::GroupNeon x) {
  const int16x8_t low =
      vmlal_high_s8(vmull_s8(vget_low_s8(w.low), vget_low_s8(x.low)), w.low, x.low);
  if constexpr (kSmall) {
    const int16x8_t three = vmlal_s8(low, vget_low_s8(w.high), vget_low_s8(x.high));
    return vpaddlq_s16(vmlal_high_s8(three, w.high, x.high));
  } else {
    const int16x8_t high =
        vmlal_high_s8(vmull_s8(vget_low_s8(w.high), vget_low_s8(x.high)), w.high, x.high);
    return vpadalq_s16(vpaddlq_s16(low), high);
  }
}

#include "kernels/matmul/neon_tiles.inc"

}  // namespace

MatmulFn matmul_neon(tensor::DType type) { return find_matmul<NeonSet>(type); }

}  // namespace edgelm::kernels

#endif
