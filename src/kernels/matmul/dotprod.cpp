// Matmul with NEON and SDOT (ARMv8.2 dot product: Cortex-A55, A76 and later; Raspberry Pi 5, Jetson
// Orin). Called through the kernel table; see neon_tiles.h.

#include "base/target.h"

#ifdef EDGELM_ARM

#include "kernels/matmul/tables.h"

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

#include "kernels/matmul/neon_tiles.h"

}  // namespace

MatmulFn matmul_dotprod(tensor::DType type) { return find_matmul<NeonSet>(type); }

}  // namespace edgelm::kernels

#endif
