// Panel matmul with SMMLA (int8 matrix multiply, ARMv8.6: Cortex-A510, A710 and X2, Neoverse V1 and
// N2, Apple M2 and later). One instruction multiplies 8 columns of two rows with those of two
// tokens: twice the work of an SDOT. Four panels x 256 columns are unpacked to row pairs in L1 once
// and meet all tokens in tiles of 8 rows x 4 tokens, whose activations are paired once for the
// four. One token would leave half of each SMMLA idle: that is panel_dotprod.
//
// Instructions per group of 8 rows x 32 columns (GCC 12, counted in the disassembly; none touches
// the stack), in brackets per byte of packed weights; dotprod.cpp has the same table:
//                    Q4_0       Q5_0       Q5_1        Q8_0       Q4_K       Q5_K        Q6_K
//   four tokens  122 (.85)  122 (.69)  122 (.64)  104 (.38)  122 (.85)  122 (.69)  131 (.62)
//     of which SMMLA 32, chain of minima 18 (not Q8_0, Q6_K), pairing 8
//   unpacking     66        101        111          60         82        117        134
#include "base/target.h"

#ifdef EDGELM_ARM

#include <cstring>

#include "kernels/panel/tables.h"

#if !defined(__clang__)  // register pressure, see matmul/neon_tiles.inc
#pragma GCC optimize("no-schedule-insns")
#endif

#include "kernels/panel/neon_group.h"

namespace edgelm::kernels {
namespace {

// One chunk of X pairs of tokens: 8 columns of the one, 8 of the other; scales likewise.
template <int X>
struct TokenPairs {
  alignas(64) std::int8_t q[kChunkGroups][4][X][16];
  alignas(16) float scales[X][kChunkGroups][2];
  alignas(16) float sums[X][kChunkGroups][2];
  EDGELM_NEON_INLINE float32x4_t scale(std::size_t g, int k) const { return twice(scales[k][g]); }
  EDGELM_NEON_INLINE float32x4_t scaled_sum(std::size_t g, int k) const {
    return twice(sums[k][g]);
  }

 private:
  EDGELM_NEON_INLINE static float32x4_t twice(const float* pair) {
    double two;  // 64 bits that only move: LD1R
    std::memcpy(&two, pair, sizeof two);
    return vreinterpretq_f32_f64(vdupq_n_f64(two));
  }
};

EDGELM_NEON_INLINE void pair_floats(const float* a, const float* b, std::size_t n_groups,
                                    float (*out)[2]) {
  if (n_groups == kChunkGroups) {
#pragma GCC unroll 2
    for (std::size_t g = 0; g < kChunkGroups; g += 4) {
      const float32x4_t first = vld1q_f32(a + g), second = vld1q_f32(b + g);
      vst1q_f32(out[g], vzip1q_f32(first, second));
      vst1q_f32(out[g + 2], vzip2q_f32(first, second));
    }
    return;
  }
  for (std::size_t g = 0; g < n_groups; ++g) {
    out[g][0] = a[g];
    out[g][1] = b[g];
  }
}

template <int X>
void pair_tokens(const Activations& x, std::size_t token, std::size_t count, std::size_t first,
                 std::size_t n_groups, TokenPairs<X>& out) {
#pragma GCC unroll 2
  for (std::size_t k = 0; k < X; ++k) {
    const std::size_t a = token + 2 * k;
    const std::size_t b = 2 * k + 1 < count ? a + 1 : a;  // the last of an odd number: with itself
    const std::int8_t* qa = x.q + a * x.q_stride + first * kGroup;
    const std::int8_t* qb = x.q + b * x.q_stride + first * kGroup;
    for (std::size_t g = 0; g < n_groups; ++g) {
#pragma GCC unroll 2
      for (std::size_t half = 0; half < 2; ++half) {
        const int64x2_t in_a = vreinterpretq_s64_s8(vld1q_s8(qa + g * kGroup + 16 * half));
        const int64x2_t in_b = vreinterpretq_s64_s8(vld1q_s8(qb + g * kGroup + 16 * half));
        vst1q_s8(out.q[g][2 * half][k], vreinterpretq_s8_s64(vzip1q_s64(in_a, in_b)));
        vst1q_s8(out.q[g][2 * half + 1][k], vreinterpretq_s8_s64(vzip2q_s64(in_a, in_b)));
      }
    }
    const std::size_t at_a = a * x.scale_stride + first, at_b = b * x.scale_stride + first;
    pair_floats(x.scale + at_a, x.scale + at_b, n_groups, out.scales[k]);
    pair_floats(x.scaled_sum + at_a, x.scaled_sum + at_b, n_groups, out.sums[k]);
  }
}

// Half a group: 16 columns.
template <int X>
EDGELM_I8MM_INLINE void dot_half(const std::int8_t* values, const std::int8_t (*x)[X][16],
                                 int32x4_t (&dots)[4][X]) {
#pragma GCC unroll 2
  for (int c = 0; c < 2; ++c) {
    int8x16_t pair[X];
#pragma GCC unroll 2
    for (int k = 0; k < X; ++k) pair[k] = vld1q_s8(x[c][k]);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const int8x16_t w = vld1q_s8(values + 64 * c + 16 * i);
#pragma GCC unroll 2
      for (int k = 0; k < X; ++k) dots[i][k] = vmmlaq_s32(dots[i][k], w, pair[k]);
    }
  }
}

// Adds a chunk of a panel to the sums of X pairs of tokens.
template <class Type, int X>
EDGELM_I8MM __attribute__((noinline)) void tile(const Unpacked<true>& w, std::size_t n_groups,
                                                const TokenPairs<X>& x, float* sums) {
  using Layout = PanelLayout<Type>;
  float32x4_t sum[4][X];
  clear(sum);
  for (std::size_t g = 0; g < n_groups; ++g) {
    int32x4_t dots[4][X];
    clear(dots);
    dot_half<X>(w.values[g], x.q[g], dots);
    if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
      float32x4_t both[4][X];
      scale_half<0>(w, g, dots, both);
      clear(dots);
      dot_half<X>(w.values[g] + 128, x.q[g] + 2, dots);
      scale_half<1>(w, g, dots, both);
      add_halves(g, x, both, sum);
    } else {
      dot_half<X>(w.values[g] + 128, x.q[g] + 2, dots);
      add_group<Layout>(w, g, x, dots, sum);
    }
  }
  end_chunk<Layout>(w, n_groups, x, sum, sums);
}

struct I8mmGemm {
  using Weights = Unpacked<true>;
  static constexpr std::size_t kPanels = 4;  // with the activations of 64 tokens 40 KB of L1

  template <class Type, int X>
  static void tiles(const Activations& x, std::size_t token, std::size_t count, std::size_t first,
                    std::size_t n_groups, const Weights* w, std::size_t n_panels, TileSums* sums) {
    TokenPairs<X> pairs;
    pair_tokens<X>(x, token, count, first, n_groups, pairs);
    for (std::size_t p = 0; p < n_panels; ++p) tile<Type, X>(w[p], n_groups, pairs, sums[p]);
  }

  template <class Type>
  static void quad(const Activations& x, std::size_t token, std::size_t count, std::size_t first,
                   std::size_t n_groups, const Weights* w, std::size_t n_panels, TileSums* sums) {
    if (count > 2) return tiles<Type, 2>(x, token, count, first, n_groups, w, n_panels, sums);
    tiles<Type, 1>(x, token, count, first, n_groups, w, n_panels, sums);
  }

  // Lanes are (row, token): (0, 0), (0, 1), (1, 0), (1, 1).
  static EightFloats rows(const TileSums& sums, std::size_t n_tokens, std::size_t token) {
    const std::size_t n_pairs = (n_tokens + 1) / 2;
    EightFloats out;
    for (std::size_t h = 0; h < 2; ++h) {
      const float32x4_t first = vld1q_f32(sums + 4 * (2 * h * n_pairs + token / 2));
      const float32x4_t second = vld1q_f32(sums + 4 * ((2 * h + 1) * n_pairs + token / 2));
      out.at[h] = token % 2 == 0 ? vuzp1q_f32(first, second) : vuzp2q_f32(first, second);
    }
    return out;
  }
};

template <class Type>
void run(const PanelArgs& args) {
  if (args.n_tokens == 1) return panel_dotprod(Type::kType)(args);
  gemm_all<I8mmGemm, Type>(args);
}

struct I8mm {
  template <class Type>
  static constexpr PanelFn kFunction = run<Type>;
};

}  // namespace

PanelFn panel_i8mm(tensor::DType type) { return find_panel<I8mm>(type); }

}  // namespace edgelm::kernels

#endif
