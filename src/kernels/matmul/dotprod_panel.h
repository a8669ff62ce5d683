#pragma once
// Matmul with SDOT for many tokens (prefill), used by dotprod.cpp. Four weight rows are decoded
// once, 256 columns at a time, into a panel in L1 whose 16-byte vectors hold four columns of each
// row; all tokens of a block then run over it with SDOT by element, one lane per row: no pairwise
// adds, and decoding costs nothing per token. The tiles of neon_tiles.inc decode again for every
// four tokens.
//
// Instructions per 32 weights of one output: 2 SDOT + 1/4 MOVI + 1/4 SCVTF + 1/4 FMUL + 1/4 FMLA,
// with offsets 1/4 FMLA more, with a sub-scale 1/4 MUL more, with two 1/4 MOVI + 2/4 MUL more. All
// in all, GCC 12's loop has 90 instructions per 16 outputs and group for Q4_0 (5.6 per 32 weights),
// 96 for Q4_K, 94 for Q6_K; the 2 x 4 tile needs 287, 308 and 422 per 32 such pairs (9.0, 9.6
// and 13.2).
//
// Same bits as the tiles: the accumulator of a tile has one lane per group modulo 4, so here each
// output has four accumulators, one per group modulo 4, folded in the same order at the end.

#include "base/target.h"

#ifdef EDGELM_ARM

#include "kernels/matmul/matmul.h"
#include "tensor/types/group.h"

namespace edgelm::kernels {

constexpr std::size_t kPanelRows = 4;
constexpr std::size_t kPanelGroups = 8;
constexpr std::size_t kPanelTokens = 64;  // accumulators: 4 KB; activations of a panel: 16 KB

struct Panel {
  std::int8_t weights[kPanelGroups][8][16];  // [group][four columns][row, column]
  float scale[kPanelGroups][kPanelRows];
  float offset[kPanelGroups][kPanelRows];
  std::int32_t sub_scale[kPanelGroups][2][kPanelRows];
};

// out[i] = (a[i], b[i], c[i], d[i]) in words of 32 bits.
EDGELM_NEON_INLINE void transpose_words(const int32x4_t (&in)[4], int32x4_t (&out)[4]) {
  const int64x2_t ab_even = vreinterpretq_s64_s32(vtrn1q_s32(in[0], in[1]));
  const int64x2_t ab_odd = vreinterpretq_s64_s32(vtrn2q_s32(in[0], in[1]));
  const int64x2_t cd_even = vreinterpretq_s64_s32(vtrn1q_s32(in[2], in[3]));
  const int64x2_t cd_odd = vreinterpretq_s64_s32(vtrn2q_s32(in[2], in[3]));
  out[0] = vreinterpretq_s32_s64(vtrn1q_s64(ab_even, cd_even));
  out[1] = vreinterpretq_s32_s64(vtrn1q_s64(ab_odd, cd_odd));
  out[2] = vreinterpretq_s32_s64(vtrn2q_s64(ab_even, cd_even));
  out[3] = vreinterpretq_s32_s64(vtrn2q_s64(ab_odd, cd_odd));
}

EDGELM_NEON_INLINE void store_columns(const int8x16_t (&rows)[4], std::int8_t (*out)[16]) {
  int32x4_t words[4], columns[4];
  for (int r = 0; r < 4; ++r) words[r] = vreinterpretq_s32_s8(rows[r]);
  transpose_words(words, columns);
  for (int i = 0; i < 4; ++i) vst1q_s8(out[i], vreinterpretq_s8_s32(columns[i]));
}

EDGELM_NEON_INLINE void store_lanes(const float32x4_t (&rows)[4], float (*out)[kPanelRows]) {
  int32x4_t words[4], lanes[4];
  for (int r = 0; r < 4; ++r) words[r] = vreinterpretq_s32_f32(rows[r]);
  transpose_words(words, lanes);
  for (int i = 0; i < 4; ++i) vst1q_f32(out[i], vreinterpretq_f32_s32(lanes[i]));
}

// Group Index of the panel; it is group G of the blocks at `rows`.
template <class Simd, std::size_t G, std::size_t Index>
EDGELM_NEON_INLINE void decode_group(const std::byte* const (&rows)[4], Panel& panel) {
  int8x16_t low[4], high[4];
  for (int r = 0; r < 4; ++r) {
    const tensor::GroupNeon group = Simd::template group<G>(rows[r]);
    low[r] = group.low;
    high[r] = group.high;
  }
  store_columns(low, panel.weights[Index]);
  store_columns(high, panel.weights[Index] + 4);
}

// Groups Index .. Index + n_groups - 1 (at most four), groups First and on of the blocks at `rows`.
template <class Simd, std::size_t First, std::size_t Index>
EDGELM_NEON_INLINE void decode_four(const std::byte* const (&rows)[4], std::size_t n_groups,
                                    Panel& panel) {
  float32x4_t scale[4], offset[4];
  int32x4_t sub_scale[2][4], lanes[4];
  for (int r = 0; r < 4; ++r) {
    const tensor::ChunkNeon chunk = Simd::template chunk<First>(rows[r], n_groups);
    scale[r] = chunk.scale;
    offset[r] = chunk.offset;
    sub_scale[0][r] = chunk.sub_scale[0];
    sub_scale[1][r] = chunk.sub_scale[1];
  }
  store_lanes(scale, panel.scale + Index);
  if constexpr (Simd::kHasOffset) store_lanes(offset, panel.offset + Index);
  if constexpr (Simd::kSubScales == 1) {
    transpose_words(sub_scale[0], lanes);
    for (std::size_t i = 0; i < 4; ++i) vst1q_s32(panel.sub_scale[Index + i][0], lanes[i]);
  }
  if constexpr (Simd::kSubScales == 2) {
    for (std::size_t half = 0; half < 2; ++half) {
      transpose_words(sub_scale[half], lanes);
      for (std::size_t i = 0; i < 4; ++i)
        vst1q_s32(panel.sub_scale[Index + 2 * half + i / 2][i % 2], lanes[i]);
    }
  }
  decode_group<Simd, First, Index>(rows, panel);
  if (n_groups > 1) decode_group<Simd, First + 1, Index + 1>(rows, panel);
  if (n_groups > 2) decode_group<Simd, First + 2, Index + 2>(rows, panel);
  if (n_groups > 3) decode_group<Simd, First + 3, Index + 3>(rows, panel);
}

// Fills the panel with groups [group, group + n_groups) of rows [row, row + 4).
template <class Type>
void decode_panel(const MatmulArgs& args, std::size_t row, std::size_t group, std::size_t n_groups,
                  Panel& panel) {
  using Simd = typename Type::Neon;
  const std::size_t at = group * kGroup / Type::kBlockElements * Type::kBlockBytes;
  const std::byte* rows[4];
  for (std::size_t r = 0; r < 4; ++r) rows[r] = args.weights + (row + r) * args.row_bytes + at;
  decode_four<Simd, 0, 0>(rows, n_groups < 4 ? n_groups : 4, panel);
  if (n_groups <= 4) return;
  if constexpr (Type::kBlockElements == 256) {
    decode_four<Simd, 4, 4>(rows, 4, panel);
  } else {
    for (std::size_t r = 0; r < 4; ++r) rows[r] += 4 * Type::kBlockBytes;
    decode_four<Simd, 0, 4>(rows, n_groups - 4, panel);
  }
}

// Sixteen columns: four SDOT by element.
EDGELM_DOTPROD_INLINE int32x4_t dot_columns(const std::int8_t (*weights)[16],
                                            const std::int8_t* x) {
  const int8x16_t q = vld1q_s8(x);
  int32x4_t dot = vdotq_laneq_s32(vdupq_n_s32(0), vld1q_s8(weights[0]), q, 0);
  dot = vdotq_laneq_s32(dot, vld1q_s8(weights[1]), q, 1);
  dot = vdotq_laneq_s32(dot, vld1q_s8(weights[2]), q, 2);
  return vdotq_laneq_s32(dot, vld1q_s8(weights[3]), q, 3);
}

EDGELM_DOTPROD_INLINE int32x4_t add_columns_to(int32x4_t dot, const std::int8_t (*weights)[16],
                                               const std::int8_t* x) {
  const int8x16_t q = vld1q_s8(x);
  dot = vdotq_laneq_s32(dot, vld1q_s8(weights[0]), q, 0);
  dot = vdotq_laneq_s32(dot, vld1q_s8(weights[1]), q, 1);
  dot = vdotq_laneq_s32(dot, vld1q_s8(weights[2]), q, 2);
  return vdotq_laneq_s32(dot, vld1q_s8(weights[3]), q, 3);
}

// The exact dot of one group of four rows with one token, sub-scales applied.
template <class Simd>
EDGELM_DOTPROD_INLINE int32x4_t dot_rows(const Panel& panel, std::size_t g, const std::int8_t* x) {
  const int32x4_t low = dot_columns(panel.weights[g], x);
  if constexpr (Simd::kSubScales == 2) {
    const int32x4_t high = dot_columns(panel.weights[g] + 4, x + 16);
    return vmlaq_s32(vmulq_s32(low, vld1q_s32(panel.sub_scale[g][0])), high,
                     vld1q_s32(panel.sub_scale[g][1]));
  }
  const int32x4_t all = add_columns_to(low, panel.weights[g] + 4, x + 16);
  if constexpr (Simd::kSubScales == 0) return all;
  return vmulq_s32(all, vld1q_s32(panel.sub_scale[g][0]));
}

// Adds the panel times T tokens to their accumulators acc[token][group % 4][row]. `group` is the
// panel's first group in its row, `token` the first token.
template <class Simd, int T>
EDGELM_DOTPROD void panel_tile(const MatmulArgs& args, const Panel& panel, std::size_t token,
                               std::size_t group, std::size_t n_groups,
                               float (*acc)[4][kPanelRows]) {
  const std::int8_t* x = args.x.q + token * args.x.q_stride + group * kGroup;
  const float* x_scale = args.x.scale + token * args.x.scale_stride + group;
  const float* x_sum = args.x.scaled_sum + token * args.x.scale_stride + group;
  for (std::size_t lane = 0; lane < 4; ++lane) {
    float32x4_t sum[T];
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) sum[t] = vld1q_f32(acc[t][lane]);
    for (std::size_t g = lane; g < n_groups; g += 4) {
      int32x4_t dots[T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        dots[t] = dot_rows<Simd>(panel, g,
                                 x + static_cast<std::size_t>(t) * args.x.q_stride + g * kGroup);
      }
      const float32x4_t scale = vld1q_f32(panel.scale[g]);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const std::size_t at = static_cast<std::size_t>(t) * args.x.scale_stride + g;
        sum[t] = vfmaq_f32(sum[t], vcvtq_f32_s32(dots[t]), vmulq_n_f32(scale, x_scale[at]));
        if constexpr (Simd::kHasOffset)
          sum[t] = vfmaq_n_f32(sum[t], vld1q_f32(panel.offset[g]), x_sum[at]);
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) vst1q_f32(acc[t][lane], sum[t]);
  }
}

inline void store_rows(const MatmulArgs& args, std::size_t row, std::size_t token,
                       const float (&acc)[4][kPanelRows]) {
  const float32x4_t low = vaddq_f32(vld1q_f32(acc[0]), vld1q_f32(acc[1]));
  const float32x4_t high = vaddq_f32(vld1q_f32(acc[2]), vld1q_f32(acc[3]));
  float32x4_t sum = vaddq_f32(low, high);  // as vaddvq_f32 in neon_tiles.inc
  float* out = args.out + token * args.out_stride + row;
  if (args.accumulate) sum = vaddq_f32(vld1q_f32(out), sum);
  vst1q_f32(out, sum);
}

// Rows [row, row + 4) times tokens [token, token + n_tokens), n_tokens <= kPanelTokens.
template <class Type>
void panel_rows(const MatmulArgs& args, std::size_t row, std::size_t token, std::size_t n_tokens) {
  using Simd = typename Type::Neon;
  Panel panel;
  float acc[kPanelTokens][4][kPanelRows] = {};
  const std::size_t all_groups = args.cols / kGroup;
  for (std::size_t group = 0; group < all_groups; group += kPanelGroups) {
    const std::size_t left = all_groups - group;
    const std::size_t n_groups = left < kPanelGroups ? left : kPanelGroups;
    decode_panel<Type>(args, row, group, n_groups, panel);
    std::size_t t = 0;
    for (; t + 4 <= n_tokens; t += 4)
      panel_tile<Simd, 4>(args, panel, token + t, group, n_groups, acc + t);
    for (; t < n_tokens; ++t) panel_tile<Simd, 1>(args, panel, token + t, group, n_groups, acc + t);
  }
  for (std::size_t t = 0; t < n_tokens; ++t) store_rows(args, row, token + t, acc[t]);
}

}  // namespace edgelm::kernels

#endif
