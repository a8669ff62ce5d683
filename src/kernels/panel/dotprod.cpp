// Panel matmul with NEON and SDOT (ARMv8.2 dot product). One token: a panel is streamed from memory
// and unpacked in registers (decode_panel). More: two panels x 256 columns are unpacked to bytes in
// L1 once and meet all tokens in tiles of 8 rows x 4 tokens, 8 sums and 8 dot products of 4 rows,
// which leaves 16 of the 32 registers to weights and activations. SDOT by element multiplies four
// rows' columns 4j .. 4j+3 with one token's: no broadcasts and no pairwise adds.
//
// Instructions per group of 8 rows x 32 columns (GCC 12, counted in the disassembly; none touches
// the stack), in brackets per byte of packed weights:
//                    Q4_0       Q5_0       Q5_1        Q8_0       Q4_K       Q5_K        Q6_K
//   one token     64 (.44)   98 (.56)  101 (.53)   54 (.20)   71 (.49)  107 (.61)  111 (.53)
//   four tokens  148 (1.03) 148 (.84)  148 (.77)  132 (.49)  147 (1.02) 147 (.84)  158 (.75)
//     of which SDOT 64, chain of minima 16 (not Q8_0, Q6_K)
//   unpacking     53         88         93          47         64         99        116
// AVX2 needs (avx2.cpp; half of its tile of 16 rows)
//   one token     54 (.38)   80 (.45)   81 (.42)   61 (.22)   58 (.40)   84 (.48)   86 (.41)
//   four tokens  117 (.81)  126 (.72)  126 (.66)  192 (.70)  113 (.78)  122 (.69)  127 (.60)
#include "base/target.h"

#ifdef EDGELM_ARM

#include "kernels/panel/tables.h"

#if !defined(__clang__)  // register pressure, see matmul/neon_tiles.inc
#pragma GCC optimize("no-schedule-insns")
#endif

#include "kernels/panel/neon_group.h"

namespace edgelm::kernels {
namespace {

// --- one token --------------------------------------------------------------------------------

// Vectors kV and kV + 4 of a packed group. dots: (half of the columns, half of the rows).
template <int kBits, int kV>
EDGELM_DOTPROD_INLINE void dot_packed(const std::byte* group, int8x16_t low, int8x16_t high,
                                      int32x4_t (&dots)[2][2]) {
  constexpr int kHigh = kBits == 6 ? 1 : 0;  // halves have scales of their own
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    const TwoVectors w = packed_vectors<kBits, kV>(group + 16 * h);
    dots[0][h] = vdotq_laneq_s32(dots[0][h], w.low, low, kV);
    dots[kHigh][h] = vdotq_laneq_s32(dots[kHigh][h], w.high, high, kV);
  }
}

// -32 times the sum of each half of a group, in all lanes.
EDGELM_DOTPROD_INLINE void minus_offsets(int8x16_t low, int8x16_t high, int32x4_t (&dots)[2][2]) {
  const int8x16_t offset = vdupq_n_s8(-32);
  const int32x4_t zero = vdupq_n_s32(0);
  const int32x4_t both = vpaddq_s32(vdotq_s32(zero, low, offset), vdotq_s32(zero, high, offset));
  const int32x4_t sums = vpaddq_s32(both, both);
  dots[0][0] = dots[0][1] = vdupq_laneq_s32(sums, 0);
  dots[1][0] = dots[1][1] = vdupq_laneq_s32(sums, 1);
}

template <int kBits>
EDGELM_DOTPROD_INLINE void dot_group(const std::byte* group, const std::int8_t* q,
                                     int32x4_t (&dots)[2][2]) {
  const int8x16_t low = vld1q_s8(q), high = vld1q_s8(q + 16);
  if constexpr (kBits == 6) {
    minus_offsets(low, high, dots);
  } else {
    dots[0][0] = dots[0][1] = vdupq_n_s32(0);
  }
  dot_packed<kBits, 0>(group, low, high, dots);
  dot_packed<kBits, 1>(group, low, high, dots);
  dot_packed<kBits, 2>(group, low, high, dots);
  dot_packed<kBits, 3>(group, low, high, dots);
}

template <class Type>
EDGELM_DOTPROD_INLINE void decode_chunk(const std::byte* prefix, const std::byte* chunk,
                                        std::size_t n_groups, const std::int8_t* q,
                                        const float* scale, const float* scaled_sum,
                                        float32x4_t (&out)[2]) {
  using Layout = PanelLayout<Type>;
  constexpr bool kOffset = Layout::kScales == PanelScales::kPerGroup && Layout::kOffset != 0;
  const std::byte* group = chunk + Layout::header_bytes(n_groups);
  float32x4_t sum[2], mins[2];
  sum[0] = sum[1] = mins[0] = mins[1] = vdupq_n_f32(0);
  SixBits six;
  if constexpr (Layout::kScales == PanelScales::kSuper) unpack_six_bits(chunk, six);
  for (std::size_t g = 0; g < n_groups; ++g) {
    prefetch<Layout::kGroupBytes>(group);
    const float xs = scale[g], xsum = scaled_sum[g];
    const std::size_t at = g * kPanelRows;
    int32x4_t dots[2][2];
    dot_group<Layout::kBits>(group, q + g * kGroup, dots);
    EightInts s[2];
    EightFloats d, m;
    if constexpr (Layout::kScales == PanelScales::kSuper) {
      s[0] = load_8_unsigned(six.scale + at);
      m = to_floats(load_8_unsigned(six.min + at));
    } else if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
      s[0] = load_8_signed(chunk + 2 * at);
      s[1] = load_8_signed(chunk + 2 * at + kPanelRows);
    } else {
      d = load_8_halves(chunk + 2 * at);
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        m = load_8_halves(chunk + 2 * (n_groups * kPanelRows + at));
    }
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      if constexpr (Layout::kWholeChunks) {
        int32x4_t dot = vmulq_s32(dots[0][h], s[0].at[h]);
        if constexpr (Layout::kScales == PanelScales::kSuperHalves)
          dot = vmlaq_s32(dot, dots[1][h], s[1].at[h]);
        sum[h] = vfmaq_n_f32(sum[h], vcvtq_f32_s32(dot), xs);
      } else {
        sum[h] = vfmaq_f32(sum[h], vcvtq_f32_s32(dots[0][h]), vmulq_n_f32(d.at[h], xs));
      }
      if constexpr (kOffset) {
        mins[h] = vfmaq_n_f32(mins[h], d.at[h], xsum);
      } else if constexpr (Layout::kScales == PanelScales::kSuper ||
                           Layout::kScales == PanelScales::kPerGroupMin) {
        mins[h] = vfmaq_n_f32(mins[h], m.at[h], xsum);
      }
    }
    group += Layout::kGroupBytes;
  }
  EightFloats d, dmin;
  if constexpr (Layout::kScales == PanelScales::kSuper) {
    d = load_8_halves(chunk);
    dmin = load_8_halves(chunk + 2 * kPanelRows);
  }
  if constexpr (Layout::kScales == PanelScales::kSuperHalves) d = load_8_halves(prefix);
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    if constexpr (Layout::kWholeChunks) {
      out[h] = vfmaq_f32(out[h], d.at[h], sum[h]);
      if constexpr (Layout::kScales == PanelScales::kSuper)
        out[h] = vfmsq_f32(out[h], dmin.at[h], mins[h]);
    } else {
      out[h] = vaddq_f32(out[h], sum[h]);
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        out[h] = vaddq_f32(out[h], mins[h]);
      if constexpr (kOffset)
        out[h] = vfmaq_n_f32(out[h], mins[h], -static_cast<float>(Layout::kOffset));
    }
  }
}

template <class Type>
EDGELM_DOTPROD void decode_panel(const PanelArgs& args, std::size_t row) {
  using Layout = PanelLayout<Type>;
  const std::byte* prefix = args.panels + row / kPanelRows * args.panel_bytes;
  const std::byte* chunk = prefix + Layout::prefix_bytes(args.cols);
  const std::int8_t* q = args.x.q;
  const float* scale = args.x.scale;
  const float* scaled_sum = args.x.scaled_sum;
  float32x4_t out[2];
  out[0] = out[1] = vdupq_n_f32(0);
  std::size_t groups = args.cols / kGroup;
  for (; groups >= kChunkGroups; groups -= kChunkGroups) {
    decode_chunk<Type>(prefix, chunk, kChunkGroups, q, scale, scaled_sum, out);
    prefix += 2 * kPanelRows;
    chunk += Layout::chunk_bytes(kChunkGroups);
    q += kChunkGroups * kGroup;
    scale += kChunkGroups;
    scaled_sum += kChunkGroups;
  }
  if constexpr (!Layout::kWholeChunks) {
    if (groups > 0) decode_chunk<Type>(prefix, chunk, groups, q, scale, scaled_sum, out);
  }
  store_8_rows(args.out + row, args.row_end - row, {{out[0], out[1]}}, args.accumulate);
}

// --- several tokens ---------------------------------------------------------------------------

template <int T>
struct Tokens {
  const std::int8_t* q[T];
  const float* scales[T];
  const float* sums[T];
  EDGELM_NEON_INLINE float32x4_t scale(std::size_t g, int t) const {
    return vdupq_n_f32(scales[t][g]);
  }
  EDGELM_NEON_INLINE float32x4_t scaled_sum(std::size_t g, int t) const {
    return vdupq_n_f32(sums[t][g]);
  }
};

template <int kLane, int T>
EDGELM_DOTPROD_INLINE void dot_vector(const std::int8_t* values, const int8x16_t (&x)[T],
                                      int32x4_t (&dots)[2][T]) {
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    const int8x16_t w = vld1q_s8(values + 32 * kLane + 16 * h);
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) dots[h][t] = vdotq_laneq_s32(dots[h][t], w, x[t], kLane);
  }
}

// Half a group: 16 columns.
template <int T>
EDGELM_DOTPROD_INLINE void dot_half(const std::int8_t* values, const Tokens<T>& tokens,
                                    std::size_t column, int32x4_t (&dots)[2][T]) {
  int8x16_t x[T];
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) x[t] = vld1q_s8(tokens.q[t] + column);
  dot_vector<0, T>(values, x, dots);
  dot_vector<1, T>(values, x, dots);
  dot_vector<2, T>(values, x, dots);
  dot_vector<3, T>(values, x, dots);
}

// Adds a chunk of a panel to the sums of T tokens.
template <class Type, int T>
EDGELM_DOTPROD __attribute__((noinline)) void tile(const Unpacked<false>& w, std::size_t n_groups,
                                                   const Tokens<T>& x, float* sums) {
  using Layout = PanelLayout<Type>;
  float32x4_t sum[2][T];
  clear(sum);
  for (std::size_t g = 0; g < n_groups; ++g) {
    int32x4_t dots[2][T];
    clear(dots);
    dot_half<T>(w.values[g], x, g * kGroup, dots);
    if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
      float32x4_t both[2][T];
      scale_half<0>(w, g, dots, both);
      clear(dots);
      dot_half<T>(w.values[g] + 128, x, g * kGroup + 16, dots);
      scale_half<1>(w, g, dots, both);
      add_halves(g, x, both, sum);
    } else {
      dot_half<T>(w.values[g] + 128, x, g * kGroup + 16, dots);
      add_group<Layout>(w, g, x, dots, sum);
    }
  }
  end_chunk<Layout>(w, n_groups, x, sum, sums);
}

struct DotprodGemm {
  using Weights = Unpacked<false>;
  static constexpr std::size_t kPanels = 2;  // with the activations of 64 tokens 24 KB of L1

  template <class Type, int T>
  static void tiles(const Activations& x, std::size_t token, std::size_t first,
                    std::size_t n_groups, const Weights* w, std::size_t n_panels, TileSums* sums) {
    Tokens<T> tokens;
#pragma GCC unroll 4
    for (std::size_t t = 0; t < T; ++t) {
      tokens.q[t] = x.q + (token + t) * x.q_stride + first * kGroup;
      tokens.scales[t] = x.scale + (token + t) * x.scale_stride + first;
      tokens.sums[t] = x.scaled_sum + (token + t) * x.scale_stride + first;
    }
    for (std::size_t p = 0; p < n_panels; ++p) tile<Type, T>(w[p], n_groups, tokens, sums[p]);
  }

  template <class Type>
  static void quad(const Activations& x, std::size_t token, std::size_t count, std::size_t first,
                   std::size_t n_groups, const Weights* w, std::size_t n_panels, TileSums* sums) {
    if (count >= 4) return tiles<Type, 4>(x, token, first, n_groups, w, n_panels, sums);
    if (count == 3) return tiles<Type, 3>(x, token, first, n_groups, w, n_panels, sums);
    if (count == 2) return tiles<Type, 2>(x, token, first, n_groups, w, n_panels, sums);
    tiles<Type, 1>(x, token, first, n_groups, w, n_panels, sums);
  }

  static EightFloats rows(const TileSums& sums, std::size_t n_tokens, std::size_t token) {
    return {{vld1q_f32(sums + 4 * token), vld1q_f32(sums + 4 * (n_tokens + token))}};
  }
};

template <class Type>
void run(const PanelArgs& args) {
  if (args.n_tokens != 1) return gemm_all<DotprodGemm, Type>(args);
  for (std::size_t row = args.row_begin; row < args.row_end; row += kPanelRows)
    decode_panel<Type>(args, row);
}

struct Dotprod {
  template <class Type>
  static constexpr PanelFn kFunction = run<Type>;
};

}  // namespace

PanelFn panel_dotprod(tensor::DType type) { return find_panel<Dotprod>(type); }

}  // namespace edgelm::kernels

#endif
