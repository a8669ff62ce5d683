#pragma once
// What the ARM panel kernels share in plain NEON: k-vectors out of packed bytes, scales out of
// headers, a panel's chunk unpacked into L1, and the float chains of panel.h. The integer products
// stand in dotprod.cpp and i8mm.cpp, because a function attribute cannot depend on a template
// argument.
//
// Values fit int8 without their offset (u <= 63), so SDOT and SMMLA multiply them as they are;
// panel.h subtracts the offsets of Q4_0 and Q5_0 in its chain of minima. Sub-scaled dot products
// are below 2^24 (Q6_K: 128 * 32 * 127 * 32 = 16646144), so in float32 they are exact too.

#include "base/target.h"

#ifdef EDGELM_ARM

#include "kernels/panel/panel.h"

namespace edgelm::kernels {

constexpr int kTileVectors = 8;  // of a tile, 8 rows x 4 tokens, as 4 lanes each

struct EightFloats {
  float32x4_t at[2];
};
struct EightInts {
  int32x4_t at[2];
};

EDGELM_NEON_INLINE EightFloats load_8_halves(const std::byte* source) {
  const float16x8_t halves =
      vreinterpretq_f16_u16(vld1q_u16(reinterpret_cast<const std::uint16_t*>(source)));
  return {{vcvt_f32_f16(vget_low_f16(halves)), vcvt_high_f32_f16(halves)}};
}

EDGELM_NEON_INLINE EightInts load_8_unsigned(const std::uint8_t* source) {
  const int16x8_t wide = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(source)));
  return {{vmovl_s16(vget_low_s16(wide)), vmovl_high_s16(wide)}};
}

EDGELM_NEON_INLINE EightInts load_8_signed(const std::byte* source) {
  const int16x8_t wide = vmovl_s8(vld1_s8(reinterpret_cast<const std::int8_t*>(source)));
  return {{vmovl_s16(vget_low_s16(wide)), vmovl_high_s16(wide)}};
}

EDGELM_NEON_INLINE EightFloats to_floats(EightInts ints) {
  return {{vcvtq_f32_s32(ints.at[0]), vcvtq_f32_s32(ints.at[1])}};
}

// --- packed bytes -----------------------------------------------------------------------------

template <int kBy>  // negative: to the right
EDGELM_NEON_INLINE uint8x16_t shift_bytes(uint8x16_t bytes) {
  if constexpr (kBy > 0) return vshlq_n_u8(bytes, kBy);
  if constexpr (kBy < 0) return vshrq_n_u8(bytes, -kBy);
  return bytes;
}

// k-vectors kV (0..3) and kV + 4 of four rows.
struct TwoVectors {
  int8x16_t low, high;
};

// `rows`: the group, 16 bytes further on for rows 4 to 7.
template <int kBits, int kV>
EDGELM_NEON_INLINE TwoVectors packed_vectors(const std::byte* rows) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(rows);
  if constexpr (kBits == 8) {
    return {vreinterpretq_s8_u8(vld1q_u8(at + 32 * kV)),
            vreinterpretq_s8_u8(vld1q_u8(at + 32 * (kV + 4)))};
  }
  const uint8x16_t bytes = vld1q_u8(at + 32 * kV);
  uint8x16_t low = vandq_u8(bytes, vdupq_n_u8(15));
  uint8x16_t high = vshrq_n_u8(bytes, 4);
  if constexpr (kBits == 5) {
    const uint8x16_t bits = vld1q_u8(at + 128), mask = vdupq_n_u8(0x10);
    low = vbslq_u8(mask, shift_bytes<4 - kV>(bits), low);
    high = vbslq_u8(mask, shift_bytes<-kV>(bits), high);
  }
  if constexpr (kBits == 6) {
    const uint8x16_t mask = vdupq_n_u8(0x30);
    low = vbslq_u8(mask, shift_bytes<4 - 2 * kV>(vld1q_u8(at + 128)), low);
    high = vbslq_u8(mask, shift_bytes<4 - 2 * kV>(vld1q_u8(at + 160)), high);
  }
  return {vreinterpretq_s8_u8(low), vreinterpretq_s8_u8(high)};
}

// The six-bit scales and minima of a chunk, as bytes (group, row).
struct SixBits {
  alignas(16) std::uint8_t scale[kChunkGroups * kPanelRows];
  alignas(16) std::uint8_t min[kChunkGroups * kPanelRows];
};

EDGELM_NEON_INLINE void unpack_six_bits(const std::byte* header, SixBits& out) {
  const auto* low = reinterpret_cast<const std::uint8_t*>(header + 4 * kPanelRows);
  const uint8x16_t bits45 = vdupq_n_u8(0x30), low4 = vdupq_n_u8(15);
#pragma GCC unroll 2
  for (int i = 0; i < 32; i += 16) {  // groups 0 and 1, then 2 and 3; with them those 4 further on
    const uint8x16_t first = vld1q_u8(low + i), second = vld1q_u8(low + 32 + i);
    const uint8x16_t high = vld1q_u8(low + 64 + i);
    vst1q_u8(out.scale + i, vbslq_u8(bits45, vshlq_n_u8(high, 4), vandq_u8(first, low4)));
    vst1q_u8(out.min + i, vbslq_u8(bits45, vshlq_n_u8(high, 2), vshrq_n_u8(first, 4)));
    vst1q_u8(out.scale + 32 + i, vbslq_u8(bits45, high, vandq_u8(second, low4)));
    vst1q_u8(out.min + 32 + i, vbslq_u8(bits45, vshrq_n_u8(high, 2), vshrq_n_u8(second, 4)));
  }
}

// How far ahead the stream of packed weights is prefetched, in bytes; not yet tuned on a board. The
// address may lie behind the end: a prefetch cannot fault.
constexpr std::uintptr_t kPrefetchAhead = 1024;

template <std::size_t kBytes>
EDGELM_NEON_INLINE void prefetch(const std::byte* group) {
  const std::uintptr_t from = reinterpret_cast<std::uintptr_t>(group) + kPrefetchAhead;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < kBytes; i += 64)
    __builtin_prefetch(
        reinterpret_cast<const void*>(from + i));  // NOLINT(performance-no-int-to-ptr)
}

// Writes the outputs of up to eight rows.
EDGELM_NEON_INLINE void store_8_rows(float* out, std::size_t count, EightFloats values,
                                     bool accumulate) {
  if (count >= kPanelRows) {
#pragma GCC unroll 2
    for (int h = 0; h < 2; ++h) {
      float32x4_t four = values.at[h];
      if (accumulate) four = vaddq_f32(vld1q_f32(out + 4 * h), four);
      vst1q_f32(out + 4 * h, four);
    }
    return;
  }
  float lanes[8];
  vst1q_f32(lanes, values.at[0]);
  vst1q_f32(lanes + 4, values.at[1]);
  for (std::size_t i = 0; i < count; ++i) out[i] = accumulate ? out[i] + lanes[i] : lanes[i];
}

// --- several tokens ---------------------------------------------------------------------------

// One chunk of a panel, unpacked. Float vectors are in the lanes of the kernel's integer results:
// with kPaired four vectors (row, row, row + 1, row + 1), otherwise two of four rows. So are the
// bytes: 8 columns of two rows, or k-vectors.
template <bool kPairedRows>
struct Unpacked {
  static constexpr bool kPaired = kPairedRows;
  static constexpr int kVectors = kPaired ? 4 : 2;
  using Lanes = float[kVectors][4];

  alignas(64) std::int8_t values[kChunkGroups][256];
  alignas(16) Lanes scale[kChunkGroups][2];  // d, or the sub-scale, of a group or its halves
  alignas(16) Lanes min[kChunkGroups];
  alignas(16) Lanes d;       // of the chunk
  alignas(16) Lanes factor;  // of its minima
};

EDGELM_NEON_INLINE void store_lanes(EightFloats rows, float (&out)[2][4]) {
  vst1q_f32(out[0], rows.at[0]);
  vst1q_f32(out[1], rows.at[1]);
}
EDGELM_NEON_INLINE void store_lanes(EightFloats rows, float (&out)[4][4]) {
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    vst1q_f32(out[2 * h], vzip1q_f32(rows.at[h], rows.at[h]));
    vst1q_f32(out[2 * h + 1], vzip2q_f32(rows.at[h], rows.at[h]));
  }
}

template <class Layout, bool kPaired, int kV>
EDGELM_NEON_INLINE void unpack_vectors(const std::byte* group, std::int8_t* out) {
  // k-vectors kV, kV + 1, kV + 4, kV + 5 of four rows at a time.
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    TwoVectors a = packed_vectors<Layout::kBits, kV>(group + 16 * h);
    TwoVectors b = packed_vectors<Layout::kBits, kV + 1>(group + 16 * h);
    if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
      const int8x16_t offset = vdupq_n_s8(Layout::kOffset);
      a = {vsubq_s8(a.low, offset), vsubq_s8(a.high, offset)};
      b = {vsubq_s8(b.low, offset), vsubq_s8(b.high, offset)};
    }
    if constexpr (kPaired) {
      const auto words = [](int8x16_t bytes) { return vreinterpretq_s32_s8(bytes); };
      const auto store = [](std::int8_t* to, int32x4_t x) {
        vst1q_s8(to, vreinterpretq_s8_s32(x));
      };
      std::int8_t* low = out + 32 * kV + 32 * h;
      store(low, vzip1q_s32(words(a.low), words(b.low)));
      store(low + 16, vzip2q_s32(words(a.low), words(b.low)));
      store(low + 128, vzip1q_s32(words(a.high), words(b.high)));
      store(low + 144, vzip2q_s32(words(a.high), words(b.high)));
    } else {
      std::int8_t* low = out + 32 * kV + 16 * h;
      vst1q_s8(low, a.low);
      vst1q_s8(low + 32, b.low);
      vst1q_s8(low + 128, a.high);
      vst1q_s8(low + 160, b.high);
    }
  }
}

template <class Type, bool kPaired>
__attribute__((noinline)) void unpack_chunk(const std::byte* prefix, const std::byte* chunk,
                                            std::size_t n_groups, Unpacked<kPaired>& out) {
  using Layout = PanelLayout<Type>;
  const std::byte* group = chunk + Layout::header_bytes(n_groups);
  SixBits six;
  if constexpr (Layout::kScales == PanelScales::kSuper) {
    unpack_six_bits(chunk, six);
    store_lanes(load_8_halves(chunk), out.d);
    const EightFloats dmin = load_8_halves(chunk + 2 * kPanelRows);
    store_lanes({{vnegq_f32(dmin.at[0]), vnegq_f32(dmin.at[1])}}, out.factor);
  }
  if constexpr (Layout::kScales == PanelScales::kSuperHalves)
    store_lanes(load_8_halves(prefix), out.d);
  for (std::size_t g = 0; g < n_groups; ++g) {
    prefetch<Layout::kGroupBytes>(group);
    unpack_vectors<Layout, kPaired, 0>(group, out.values[g]);
    unpack_vectors<Layout, kPaired, 2>(group, out.values[g]);
    const std::size_t at = g * kPanelRows;
    if constexpr (Layout::kScales == PanelScales::kSuper) {
      store_lanes(to_floats(load_8_unsigned(six.scale + at)), out.scale[g][0]);
      store_lanes(to_floats(load_8_unsigned(six.min + at)), out.min[g]);
    } else if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
      store_lanes(to_floats(load_8_signed(chunk + 2 * at)), out.scale[g][0]);
      store_lanes(to_floats(load_8_signed(chunk + 2 * at + kPanelRows)), out.scale[g][1]);
    } else {
      store_lanes(load_8_halves(chunk + 2 * at), out.scale[g][0]);
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        store_lanes(load_8_halves(chunk + 2 * (n_groups * kPanelRows + at)), out.min[g]);
    }
    group += Layout::kGroupBytes;
  }
}

// Adds the dot products of a group to the sums. X vectors of tokens: x.scale(g, k) and
// x.scaled_sum(g, k) are those of group g in the lanes of the results.
template <class Layout, class Weights, class Tokens, int W, int X>
EDGELM_NEON_INLINE void add_group(const Weights& w, std::size_t g, const Tokens& x,
                                  const int32x4_t (&dots)[W][X], float32x4_t (&sum)[W][X]) {
#pragma GCC unroll 4
  for (int k = 0; k < X; ++k) {
    const float32x4_t xs = x.scale(g, k);
#pragma GCC unroll 4
    for (int i = 0; i < W; ++i) {
      const float32x4_t scale = vld1q_f32(w.scale[g][0][i]);
      const float32x4_t dot = vcvtq_f32_s32(dots[i][k]);
      sum[i][k] = Layout::kScales == PanelScales::kSuper
                      ? vfmaq_f32(sum[i][k], vmulq_f32(dot, scale), xs)
                      : vfmaq_f32(sum[i][k], dot, vmulq_f32(scale, xs));
    }
  }
}

// Q6_K: the sub-scaled dots of both halves, and then these.
template <int kHalf, class Weights, int W, int X>
EDGELM_NEON_INLINE void scale_half(const Weights& w, std::size_t g, const int32x4_t (&dots)[W][X],
                                   float32x4_t (&both)[W][X]) {
#pragma GCC unroll 4
  for (int i = 0; i < W; ++i) {
    const float32x4_t scale = vld1q_f32(w.scale[g][kHalf][i]);
#pragma GCC unroll 4
    for (int k = 0; k < X; ++k) {
      const float32x4_t dot = vcvtq_f32_s32(dots[i][k]);
      both[i][k] = kHalf == 0 ? vmulq_f32(dot, scale) : vfmaq_f32(both[i][k], dot, scale);
    }
  }
}
template <class Tokens, int W, int X>
EDGELM_NEON_INLINE void add_halves(std::size_t g, const Tokens& x, const float32x4_t (&both)[W][X],
                                   float32x4_t (&sum)[W][X]) {
#pragma GCC unroll 4
  for (int k = 0; k < X; ++k) {
    const float32x4_t xs = x.scale(g, k);
#pragma GCC unroll 4
    for (int i = 0; i < W; ++i) sum[i][k] = vfmaq_f32(sum[i][k], both[i][k], xs);
  }
}

template <int W, int X>
EDGELM_NEON_INLINE void clear(float32x4_t (&sum)[W][X]) {
#pragma GCC unroll 4
  for (int i = 0; i < W; ++i) {
#pragma GCC unroll 4
    for (int k = 0; k < X; ++k) sum[i][k] = vdupq_n_f32(0);
  }
}
template <int W, int X>
EDGELM_NEON_INLINE void clear(int32x4_t (&dots)[W][X]) {
#pragma GCC unroll 4
  for (int i = 0; i < W; ++i) {
#pragma GCC unroll 4
    for (int k = 0; k < X; ++k) dots[i][k] = vdupq_n_s32(0);
  }
}

// Ends a chunk: sums and minima go into the outputs, (i, k, lane).
template <class Layout, class Weights, class Tokens, int W, int X>
EDGELM_NEON_INLINE void end_chunk(const Weights& w, std::size_t n_groups, const Tokens& x,
                                  const float32x4_t (&sum)[W][X], float* out) {
#pragma GCC unroll 4
  for (int i = 0; i < W; ++i) {
#pragma GCC unroll 4
    for (int k = 0; k < X; ++k) {
      float* at = out + 4 * (i * X + k);
      vst1q_f32(at, Layout::kWholeChunks ? vfmaq_f32(vld1q_f32(at), vld1q_f32(w.d[i]), sum[i][k])
                                         : vaddq_f32(vld1q_f32(at), sum[i][k]));
    }
  }
  constexpr bool kPerGroup = Layout::kScales == PanelScales::kPerGroup;
  if constexpr (Layout::kScales != PanelScales::kSuperHalves &&
                !(kPerGroup && Layout::kOffset == 0)) {
    float32x4_t mins[W][X];
    clear(mins);
    for (std::size_t g = 0; g < n_groups; ++g) {
#pragma GCC unroll 4
      for (int k = 0; k < X; ++k) {
        const float32x4_t xsum = x.scaled_sum(g, k);
#pragma GCC unroll 4
        for (int i = 0; i < W; ++i) {
          const float32x4_t min = vld1q_f32(kPerGroup ? w.scale[g][0][i] : w.min[g][i]);
          mins[i][k] = vfmaq_f32(mins[i][k], min, xsum);
        }
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < W; ++i) {
#pragma GCC unroll 4
      for (int k = 0; k < X; ++k) {
        float* at = out + 4 * (i * X + k);
        const float32x4_t factor = Layout::kScales == PanelScales::kSuper
                                       ? vld1q_f32(w.factor[i])
                                       : vdupq_n_f32(-static_cast<float>(Layout::kOffset));
        vst1q_f32(at, Layout::kScales == PanelScales::kPerGroupMin
                          ? vaddq_f32(vld1q_f32(at), mins[i][k])
                          : vfmaq_f32(vld1q_f32(at), factor, mins[i][k]));
      }
    }
  }
}

constexpr std::size_t kTokenBlock = 64;  // their activations of a chunk: 16 KB

// The sums of a tile, 8 rows x 4 tokens (or fewer), in the lanes of the kernel's results.
using TileSums = float[kTileVectors * 4];

// Rows [row, row + 8 n_panels) for tokens [begin, begin + count), count <= kTokenBlock, n_panels at
// most Kernel::kPanels. Kernel::quad<Type>(...) adds a chunk to the sums of up to four tokens;
// Kernel::rows(...) are the sums of one of them.
template <class Kernel, class Type>
void gemm(const PanelArgs& args, std::size_t row, std::size_t n_panels, std::size_t begin,
          std::size_t count) {
  using Layout = PanelLayout<Type>;
  alignas(64) TileSums sums[kTokenBlock / 4][Kernel::kPanels] = {};
  typename Kernel::Weights w[Kernel::kPanels];
  const std::byte* panel = args.panels + row / kPanelRows * args.panel_bytes;
  std::size_t prefix = 0, chunk = Layout::prefix_bytes(args.cols);
  const std::size_t groups = args.cols / kGroup;
  for (std::size_t first = 0; first < groups; first += kChunkGroups) {
    const std::size_t left = groups - first, n = left < kChunkGroups ? left : kChunkGroups;
    for (std::size_t p = 0; p < n_panels; ++p) {
      const std::byte* base = panel + p * args.panel_bytes;
      unpack_chunk<Type>(base + prefix, base + chunk, n, w[p]);
    }
    for (std::size_t t = 0; t < count; t += 4)
      Kernel::template quad<Type>(args.x, begin + t, count - t, first, n, w, n_panels, sums[t / 4]);
    prefix += 2 * kPanelRows;
    chunk += Layout::chunk_bytes(n);
  }
  for (std::size_t t = 0; t < count; ++t) {
    const std::size_t in_quad = count - t / 4 * 4;
    for (std::size_t p = 0; p < n_panels; ++p) {
      const std::size_t first = row + p * kPanelRows;
      store_8_rows(args.out + (begin + t) * args.out_stride + first, args.row_end - first,
                   Kernel::rows(sums[t / 4][p], in_quad < 4 ? in_quad : 4, t % 4), args.accumulate);
    }
  }
}

template <class Kernel, class Type>
void gemm_all(const PanelArgs& args) {
  constexpr std::size_t kRows = Kernel::kPanels * kPanelRows;
  for (std::size_t row = args.row_begin; row < args.row_end; row += kRows) {
    const std::size_t rows = args.row_end - row;
    const std::size_t n_panels =
        rows < kRows ? (rows + kPanelRows - 1) / kPanelRows : Kernel::kPanels;
    for (std::size_t t = 0; t < args.n_tokens; t += kTokenBlock) {
      const std::size_t left = args.n_tokens - t;
      gemm<Kernel, Type>(args, row, n_panels, t, left < kTokenBlock ? left : kTokenBlock);
    }
  }
}

}  // namespace edgelm::kernels

#endif
