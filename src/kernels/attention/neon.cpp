// Attention on NEON: the register tiles, the softmax of a tile's row, and conversion of keys and
// values to float32 panels. The walk over the tiles is tiles.h.

#include "kernels/attention/tiles.h"
#include "kernels/elementwise/exp_neon.h"

#ifdef EDGELM_ARM
namespace edgelm::kernels {
namespace {

// R rows times P panels of four vectors: 4 R P accumulators, 16 where there are rows enough. The
// left side is read four k at a time and multiplied by lane.
template <std::size_t R, std::size_t P>
EDGELM_NEON_INLINE void product_tile(const PanelProduct& x, std::size_t panel) {
  const float* b = x.b + panel * x.panel_stride;
  float* c = x.c + panel * kAttentionPanel;
  float32x4_t acc[R][4 * P];
  for (std::size_t r = 0; r < R; ++r)
    for (std::size_t j = 0; j < 4 * P; ++j)
      acc[r][j] = x.factors == nullptr
                      ? vdupq_n_f32(0)
                      : vmulq_n_f32(vld1q_f32(c + r * x.c_stride + 4 * j), x.factors[r]);
  for (std::size_t k = 0; k < x.n_k; ++k) {
    float left[R];
    for (std::size_t r = 0; r < R; ++r) left[r] = x.a[r * x.a_stride + k];
    for (std::size_t j = 0; j < 4 * P; ++j) {
      const float32x4_t right =
          vld1q_f32(b + j / 4 * x.panel_stride + k * kAttentionPanel + j % 4 * 4);
      for (std::size_t r = 0; r < R; ++r) acc[r][j] = vfmaq_n_f32(acc[r][j], right, left[r]);
    }
  }
  for (std::size_t r = 0; r < R; ++r)
    for (std::size_t j = 0; j < 4 * P; ++j) vst1q_f32(c + r * x.c_stride + 4 * j, acc[r][j]);
}

template <std::size_t R, std::size_t P>
void product_rows(const PanelProduct& x) {
  std::size_t panel = 0;
  for (; panel + P <= x.n_panels; panel += P) product_tile<R, P>(x, panel);
  if constexpr (P > 1)
    for (; panel < x.n_panels; ++panel) product_tile<R, 1>(x, panel);
}

EDGELM_NEON_INLINE float32x4_t load_halves(const std::byte* at) {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(reinterpret_cast<const std::uint8_t*>(at))));
}

EDGELM_NEON_INLINE float32x4x2_t load_bytes(const std::byte* at) {
  const int16x8_t wide = vmovl_s8(vld1_s8(reinterpret_cast<const std::int8_t*>(at)));
  return {vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide))),
          vcvtq_f32_s32(vmovl_s16(vget_high_s16(wide)))};
}

// Whether eight positions at a time neither leave their block nor straddle two panels.
bool whole_vectors(const KvHead& kv, const KvRun& run) {
  return kv.block_tokens % 8 == 0 && run.slot % 8 == 0 && run.at % 8 == 0;
}

// All ones in the lanes below n.
EDGELM_NEON_INLINE uint32x4_t first_lanes(std::size_t n) {
  constexpr std::uint32_t kLane[4] = {0, 1, 2, 3};
  return vcltq_u32(vld1q_u32(kLane), vdupq_n_u32(static_cast<std::uint32_t>(n)));
}

// What both cache types share.
struct Neon {
  static constexpr std::size_t kRows = 4;
  static constexpr std::size_t kDirectRows = 0;

  static void product(std::size_t n_rows, const PanelProduct& x) {
    switch (n_rows) {
      case 1:
        return product_rows<1, 4>(x);
      case 2:
        return product_rows<2, 2>(x);
      case 3:
        return product_rows<3, 1>(x);
      default:
        return product_rows<4, 1>(x);
    }
  }

  // See avx2.cpp; only the first four sums are used.
  static float softmax(float* scores, std::size_t n, float* row_max, float* sums) {
    float32x4_t max = vdupq_n_f32(*row_max);
    const std::size_t whole = n / 4 * 4;
    const uint32x4_t seen = first_lanes(n - whole);
    for (std::size_t i = 0; i < whole; i += 4) max = vmaxq_f32(max, vld1q_f32(scores + i));
    if (whole < n)
      max = vmaxq_f32(max, vbslq_f32(seen, vld1q_f32(scores + whole), vdupq_n_f32(-FLT_MAX)));
    const float32x4_t top = vdupq_n_f32(vmaxvq_f32(max));
    const float32x4_t factor = exp_nonpositive(vsubq_f32(vdupq_n_f32(*row_max), top));
    float32x4_t sum[2] = {vmulq_f32(vld1q_f32(sums), factor), vdupq_n_f32(0)};
    for (std::size_t i = 0; i < whole; i += 4) {
      const float32x4_t e = exp_nonpositive(vsubq_f32(vld1q_f32(scores + i), top));
      vst1q_f32(scores + i, e);
      sum[i / 4 % 2] = vaddq_f32(sum[i / 4 % 2], e);
    }
    if (whole < n) {
      const float32x4_t raw = exp_nonpositive(vsubq_f32(vld1q_f32(scores + whole), top));
      const float32x4_t e = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(raw), seen));
      vst1q_f32(scores + whole, e);
      sum[0] = vaddq_f32(sum[0], e);
    }
    vst1q_f32(sums, vaddq_f32(sum[0], sum[1]));
    *row_max = vgetq_lane_f32(top, 0);
    return vgetq_lane_f32(factor, 0);
  }

  static float fold(const float* sums) { return vaddvq_f32(vld1q_f32(sums)); }
};

struct NeonF16 : Neon {
  static void keys(const KvHead& kv, const KvRun& run, float* panels) {
    if (!whole_vectors(kv, run)) return convert_keys_plainly<KvF16>(kv, run, panels);
    const std::byte* row = run.head + run.slot * 2;
    for (std::size_t d = 0; d < kv.k_dim; ++d, row += kv.block_tokens * 2)
      for (std::size_t i = 0; i < run.count; i += 4)
        vst1q_f32(key_column(panels, kv.k_dim, run.at + i) + d * kAttentionPanel,
                  load_halves(row + i * 2));
  }

  static void values(const KvHead& kv, const KvRun& run, float* panels) {
    const std::byte* row = run.head + kv.layout.v + run.slot * kv.v_dim * 2;
    for (std::size_t i = 0; i < run.count; ++i, row += kv.v_dim * 2)
      for (std::size_t d = 0; d < kv.v_dim; d += 4)
        vst1q_f32(value_row(panels, run.at + i, d), load_halves(row + d * 2));
  }
};

struct NeonQ8_0 : Neon {
  static void keys(const KvHead& kv, const KvRun& run, float* panels) {
    if (!whole_vectors(kv, run)) return convert_keys_plainly<KvQ8_0>(kv, run, panels);
    for (std::size_t group = 0; group < kv.k_dim / kKvGroup; ++group) {
      const std::byte* scales =
          run.head + kv.layout.k_scales + (group * kv.block_tokens + run.slot) * 2;
      const std::byte* rows = run.head + group * kKvGroup * kv.block_tokens + run.slot;
      for (std::size_t i = 0; i < run.count; i += 8) {
        const float32x4_t low = load_halves(scales + i * 2), high = load_halves(scales + i * 2 + 8);
        float* column =
            key_column(panels, kv.k_dim, run.at + i) + group * kKvGroup * kAttentionPanel;
        for (std::size_t d = 0; d < kKvGroup; ++d) {
          const float32x4x2_t q = load_bytes(rows + d * kv.block_tokens + i);
          vst1q_f32(column + d * kAttentionPanel, vmulq_f32(low, q.val[0]));
          vst1q_f32(column + d * kAttentionPanel + 4, vmulq_f32(high, q.val[1]));
        }
      }
    }
  }

  static void values(const KvHead& kv, const KvRun& run, float* panels) {
    const std::size_t n_groups = kv.v_dim / kKvGroup;
    const std::byte* row = run.head + kv.layout.v + run.slot * kv.v_dim;
    const std::byte* scales = run.head + kv.layout.v_scales + run.slot * n_groups * 2;
    for (std::size_t i = 0; i < run.count; ++i, row += kv.v_dim, scales += n_groups * 2) {
      for (std::size_t d = 0; d < kv.v_dim; d += 8) {
        const float scale = load_half(scales + d / kKvGroup * 2);
        const float32x4x2_t q = load_bytes(row + d);
        vst1q_f32(value_row(panels, run.at + i, d), vmulq_n_f32(q.val[0], scale));
        vst1q_f32(value_row(panels, run.at + i, d + 4), vmulq_n_f32(q.val[1], scale));
      }
    }
  }
};

}  // namespace

void attention_f16_neon(const AttentionArgs& args) { SpanWalk<NeonF16>(args).run(); }
void attention_q8_0_neon(const AttentionArgs& args) { SpanWalk<NeonQ8_0>(args).run(); }

}  // namespace edgelm::kernels
#endif
