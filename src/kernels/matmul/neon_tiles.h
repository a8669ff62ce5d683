#pragma once
// Matmul tiles for NEON, shared text of neon.cpp and dotprod.cpp. Each includes it once, inside an
// anonymous namespace, after defining
//   EDGELM_TILE, EDGELM_TILE_INLINE   function attributes of its instruction set
//   dot_16(w, x)                      16 int8 products summed into int32x4
//   dot_32<kSmall>(w, x)              32 products; kSmall: |w| <= 63
// It is text and not a template over the instruction set, because an attribute cannot depend on a
// template argument. Decoders of the types: tensor/types/.
//
// One output is one vector accumulator. Four groups of 32 at a time: pairwise adds fold their int32
// dots into one lane per group, so sub-scales, conversion, scales and offsets each cost one
// instruction for the four. Instructions per 32 weights of one output, besides decoding (shared by
// the tokens of a tile) and loads: dot_32 + 3/4 ADDP + 1/4 SCVTF + 1/4 FMUL + 1/4 FMLA, with
// offsets 1/4 FMLA more, with a sub-scale 1/4 MUL more; Q6_K: 2 dot_16 + 7/4 ADDP + 2/4 MUL + 3/4
// as above.

// Register pressure: GCC 12's scheduling before register allocation hoists the loads of several
// groups and then spills (Q4_K 2 x 4: 252 of 853 instructions of the loop were stack traffic); the
// including files switch it off (46 of 616). The processors in question reorder by themselves.

// R x T int32 vectors, one per output of the tile.
template <int R, int T>
struct Dots {
  int32x4_t at[R][T];
};

EDGELM_TILE_INLINE float32x4_t load_lanes(const float* source, std::size_t count) {
  if (count == 4) return vld1q_f32(source);
  float lanes[4] = {};
  for (std::size_t i = 0; i < count; ++i) lanes[i] = source[i];
  return vld1q_f32(lanes);
}

// Elements 0..15 in lanes 0 and 1 and 16..31 in lanes 2 and 3 where the type has two sub-scales;
// otherwise four partial sums of the whole group.
template <class Simd>
EDGELM_TILE_INLINE int32x4_t dot_group(tensor::GroupNeon weights, const std::int8_t* x) {
  const tensor::GroupNeon activations{vld1q_s8(x), vld1q_s8(x + 16)};
  if constexpr (Simd::kSubScales == 2) {
    return vpaddq_s32(dot_16(weights.low, activations.low), dot_16(weights.high, activations.high));
  } else {
    return dot_32<Simd::kSmall>(weights, activations);
  }
}

// Dots of groups G and G + 1, folded: lanes (G, G, G + 1, G + 1). `x` points at group G.
template <class Type, std::size_t G, int R, int T>
EDGELM_TILE_INLINE void dot_pair(const MatmulArgs& args, const std::byte* const (&weights)[R],
                                 const std::int8_t* x, bool both, Dots<R, T>& out) {
  using Simd = typename Type::Neon;
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const tensor::GroupNeon first = Simd::template group<G>(weights[r]);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      out.at[r][t] = dot_group<Simd>(first, x + static_cast<std::size_t>(t) * args.x.q_stride);
    }
    if (both) {
      const tensor::GroupNeon second = Simd::template group<G + 1>(weights[r]);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const std::int8_t* q = x + static_cast<std::size_t>(t) * args.x.q_stride + kGroup;
        out.at[r][t] = vpaddq_s32(out.at[r][t], dot_group<Simd>(second, q));
      }
    } else {
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) out.at[r][t] = vpaddq_s32(out.at[r][t], vdupq_n_s32(0));
    }
  }
}

// Adds groups First .. First + n_groups - 1 (at most four) of the blocks at `weights`; `group` is
// the number of the first in its row.
template <class Type, std::size_t First, int R, int T>
EDGELM_TILE_INLINE void add_chunk(const MatmulArgs& args, const std::byte* const (&weights)[R],
                                  std::size_t token, std::size_t group, std::size_t n_groups,
                                  float32x4_t (&acc)[R][T]) {
  using Simd = typename Type::Neon;
  const std::int8_t* x = args.x.q + token * args.x.q_stride + group * kGroup;
  Dots<R, T> first, second;
  dot_pair<Type, First, R, T>(args, weights, x, n_groups > 1, first);
  if (n_groups > 2) {
    dot_pair<Type, First + 2, R, T>(args, weights, x + 2 * kGroup, n_groups > 3, second);
  } else {
    second = {};
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const tensor::ChunkNeon chunk = Simd::template chunk<First>(weights[r], n_groups);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      int32x4_t a = first.at[r][t], b = second.at[r][t];
      if constexpr (Simd::kSubScales == 2) {
        a = vmulq_s32(a, chunk.sub_scale[0]);
        b = vmulq_s32(b, chunk.sub_scale[1]);
      }
      int32x4_t dots = vpaddq_s32(a, b);
      if constexpr (Simd::kSubScales == 1) dots = vmulq_s32(dots, chunk.sub_scale[0]);
      const std::size_t at = (token + static_cast<std::size_t>(t)) * args.x.scale_stride + group;
      const float32x4_t scale = vmulq_f32(chunk.scale, load_lanes(args.x.scale + at, n_groups));
      acc[r][t] = vfmaq_f32(acc[r][t], vcvtq_f32_s32(dots), scale);
      if constexpr (Simd::kHasOffset) {
        const float32x4_t x_sum = load_lanes(args.x.scaled_sum + at, n_groups);
        acc[r][t] = vfmaq_f32(acc[r][t], chunk.offset, x_sum);
      }
    }
  }
}

template <int R, int T>
EDGELM_TILE_INLINE void store_sums(const MatmulArgs& args, std::size_t row, std::size_t token,
                                   const float32x4_t (&acc)[R][T]) {
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    float* out = args.out + (token + static_cast<std::size_t>(t)) * args.out_stride + row;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const float sum = vaddvq_f32(acc[r][t]);
      out[r] = args.accumulate ? out[r] + sum : sum;
    }
  }
}

template <class Type, int R, int T>
EDGELM_TILE void quantized_tile(const MatmulArgs& args, std::size_t row, std::size_t token) {
  float32x4_t acc[R][T];
  const std::byte* weights[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    weights[r] = args.weights + (row + static_cast<std::size_t>(r)) * args.row_bytes;
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[r][t] = vdupq_n_f32(0);
  }
  const std::size_t n_groups = args.cols / kGroup;
  if constexpr (Type::kBlockElements == 256) {
    for (std::size_t group = 0; group < n_groups; group += 8) {
      add_chunk<Type, 0, R, T>(args, weights, token, group, 4, acc);
      add_chunk<Type, 4, R, T>(args, weights, token, group + 4, 4, acc);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) weights[r] += Type::kBlockBytes;
    }
  } else {
    std::size_t group = 0;
    for (; group + 4 <= n_groups; group += 4) {
      add_chunk<Type, 0, R, T>(args, weights, token, group, 4, acc);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) weights[r] += 4 * Type::kBlockBytes;
    }
    if (group < n_groups) {
      add_chunk<Type, 0, R, T>(args, weights, token, group, n_groups - group, acc);
    }
  }
  store_sums<R, T>(args, row, token, acc);
}

// Float weights: 8 columns a step, two FMLA per output. Order: even and odd fours, then the fold.
template <class Type, int R, int T>
EDGELM_TILE_INLINE void add_columns(const std::byte* weights, std::size_t row_bytes, const float* x,
                                    std::size_t stride, float32x4_t (&even)[R][T],
                                    float32x4_t (&odd)[R][T]) {
  float32x4_t x_even[T], x_odd[T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    x_even[t] = vld1q_f32(x + static_cast<std::size_t>(t) * stride);
    x_odd[t] = vld1q_f32(x + static_cast<std::size_t>(t) * stride + 4);
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const float32x4x2_t w = Type::Neon::load8(weights + static_cast<std::size_t>(r) * row_bytes);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      even[r][t] = vfmaq_f32(even[r][t], w.val[0], x_even[t]);
      odd[r][t] = vfmaq_f32(odd[r][t], w.val[1], x_odd[t]);
    }
  }
}

template <class Type, int R, int T>
EDGELM_TILE void float_tile(const MatmulArgs& args, std::size_t row, std::size_t token) {
  float32x4_t even[R][T], odd[R][T];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) even[r][t] = odd[r][t] = vdupq_n_f32(0);
  }
  const std::byte* weights = args.weights + row * args.row_bytes;
  const float* x = args.x.f32 + token * args.x.f32_stride;
  std::size_t c = 0;
  for (; c + 8 <= args.cols; c += 8) {
    add_columns<Type, R, T>(weights + c * Type::kBlockBytes, args.row_bytes, x + c,
                            args.x.f32_stride, even, odd);
  }
  if (c < args.cols) {  // a zero-padded step
    constexpr std::size_t kRowBytes = 8 * Type::kBlockBytes;
    std::byte padded_weights[R * kRowBytes] = {};
    float padded_x[T * 8] = {};
    for (std::size_t r = 0; r < R; ++r) {
      std::memcpy(padded_weights + r * kRowBytes,
                  weights + r * args.row_bytes + c * Type::kBlockBytes,
                  (args.cols - c) * Type::kBlockBytes);
    }
    for (std::size_t t = 0; t < T; ++t) {
      std::memcpy(padded_x + t * 8, x + t * args.x.f32_stride + c, (args.cols - c) * sizeof(float));
    }
    add_columns<Type, R, T>(padded_weights, kRowBytes, padded_x, 8, even, odd);
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) even[r][t] = vaddq_f32(even[r][t], odd[r][t]);
  }
  store_sums<R, T>(args, row, token, even);
}

// Tiles for the 32 registers of NEON: 2 x 4 outputs hold two folded dots and a sum each.
template <class Type>
struct NeonKernel {
  static constexpr int kDecodeRows = 4;
  static constexpr int kPrefillRows = 2;

  template <int R, int T>
  static void tile(const MatmulArgs& args, std::size_t row, std::size_t token) {
    if constexpr (Type::kQuantized) {
      quantized_tile<Type, R, T>(args, row, token);
    } else {
      float_tile<Type, R, T>(args, row, token);
    }
  }
};

struct NeonSet {
  template <class Type>
  static constexpr MatmulFn kFunction = walk_tiles<NeonKernel<Type>>;
};
