// Panel matmul with AVX-512 VNNI, for more than one token: 32 rows x 256 columns are unpacked to
// unsigned bytes in L1 once and meet all tokens in tiles of 32 rows x 6 tokens; vpdpbusd adds four
// products into int32, so no sum can overflow and every weight is the unsigned operand:
//   Q6_K  u = w + 32 and Q8_0  u = w + 128: the sums begin at -32 (-128) * sum of the activations.
// Sub-scales multiply as floats: |dot| <= 32 * 31 * 127 times s <= 63 (Q6_K: 16 * 32 * 127 times
// 128, twice) stays below 2^24, so these products are exact and the bits are those of panel.h.
// One token is bound by memory: it takes the AVX2 path.

#include <algorithm>

#include "kernels/panel/avx2_group.h"
#include "kernels/panel/tables.h"

#ifdef EDGELM_X86

// GCC 12 finds its own intrinsics to read what they call undefined (its bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace edgelm::kernels {
namespace {

constexpr std::size_t kTokenBlock = 128;
constexpr std::uintptr_t kPrefetchAhead = 4096;

// One chunk of P panels (2 or 4), unpacked; 64 bytes or 16 floats are 16 rows.
template <int P>
struct Unpacked {
  alignas(64) std::byte values[kChunkGroups][8][P][32];
  alignas(64) float scale[kChunkGroups][2][P][8];  // d of the group, s of the group or its halves
  alignas(64) float min[kChunkGroups][P][8];
  alignas(64) float d[P][8];       // of the chunk
  alignas(64) float factor[P][8];  // of the minima
};

EDGELM_AVX2_INLINE __m256 signed_bytes_to_floats(const std::byte* rows) {
  return _mm256_cvtepi32_ps(
      _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(rows))));
}

template <class Type, int P>
EDGELM_AVX2 void unpack(const std::byte* prefix, const std::byte* chunk, std::size_t n_groups,
                        std::size_t p, Unpacked<P>& out) {
  using Layout = PanelLayout<Type>;
  const std::byte* group = chunk + Layout::header_bytes(n_groups);
  SixBits six;
  if constexpr (Layout::kScales == PanelScales::kSuper) {
    unpack_six_bits(chunk, six);
    _mm256_store_ps(out.d[p], load_8_halves(chunk));
    _mm256_store_ps(out.factor[p],
                    _mm256_xor_ps(load_8_halves(chunk + 2 * kPanelRows), _mm256_set1_ps(-0.0F)));
  }
  if constexpr (Layout::kScales == PanelScales::kSuperHalves)
    _mm256_store_ps(out.d[p], load_8_halves(prefix));
  for (std::size_t g = 0; g < n_groups; ++g) {
    const std::uintptr_t ahead = reinterpret_cast<std::uintptr_t>(group) + kPrefetchAhead;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < Layout::kGroupBytes; i += 64)
      _mm_prefetch(reinterpret_cast<const char*>(ahead + i), _MM_HINT_T0);
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
      __m256i bytes = packed_vector<Layout::kBits>(group, j);
      if constexpr (Layout::kBits == 8) bytes = _mm256_xor_si256(bytes, _mm256_set1_epi8(-128));
      _mm256_store_si256(reinterpret_cast<__m256i*>(out.values[g][j][p]), bytes);
    }
    const std::size_t at = g * kPanelRows;
    if constexpr (Layout::kScales == PanelScales::kSuper) {
      _mm256_store_ps(out.scale[g][0][p], bytes_to_floats(six.scale + at));
      _mm256_store_ps(out.min[g][p], bytes_to_floats(six.min + at));
    } else if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
      _mm256_store_ps(out.scale[g][0][p], signed_bytes_to_floats(chunk + 2 * at));
      _mm256_store_ps(out.scale[g][1][p], signed_bytes_to_floats(chunk + 2 * at + kPanelRows));
    } else {
      _mm256_store_ps(out.scale[g][0][p], load_8_halves(chunk + 2 * at));
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        _mm256_store_ps(out.min[g][p], load_8_halves(chunk + 2 * (n_groups * kPanelRows + at)));
      else if constexpr (Layout::kOffset != 0)
        _mm256_store_ps(out.min[g][p], load_8_halves(chunk + 2 * at));
    }
    group += Layout::kGroupBytes;
  }
  if constexpr (Layout::kScales == PanelScales::kPerGroup)
    _mm256_store_ps(out.factor[p], _mm256_set1_ps(-static_cast<float>(Layout::kOffset)));
}

// Where the activations of T tokens stand in one chunk.
template <int T>
struct Tokens {
  const std::int8_t* q[T];
  const std::int16_t* bias[T];
  const float* scale[T];
  const float* scaled_sum[T];
};

EDGELM_VNNI512_INLINE __m512i broadcast_16(const void* source) {
  std::int32_t four;
  std::memcpy(&four, source, sizeof four);
  return _mm512_set1_epi32(four);
}

// -128 * sum of the activations of each group of a chunk, in every second int32.
EDGELM_VNNI512_INLINE void sum_bias(const std::int16_t* bias, std::size_t n_groups,
                                    std::int32_t (&out)[16]) {
  const auto mask = static_cast<__mmask8>((1U << n_groups) - 1);
  const __m512i halves =
      _mm512_madd_epi16(_mm512_maskz_loadu_epi64(mask, bias), _mm512_set1_epi16(4));
  _mm512_store_si512(out, _mm512_add_epi32(halves, _mm512_srli_epi64(halves, 32)));
}

// Adds one chunk to the sums of 16 V rows x T tokens; acc[t][row].
template <class Type, int V, int T>
EDGELM_VNNI512 __attribute__((noinline)) void tile(const Unpacked<2 * V>& w, std::size_t n_groups,
                                                   const Tokens<T>& x, float (*acc)[32]) {
  using Layout = PanelLayout<Type>;
  constexpr bool kHalves = Layout::kScales == PanelScales::kSuperHalves;
  constexpr bool kPerGroup = !Layout::kWholeChunks;
  alignas(64) std::int32_t bias[T][16];
  __m512 sum[V][T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    if constexpr (Layout::kBits == 8) sum_bias(x.bias[t], n_groups, bias[t]);
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) sum[v][t] = _mm512_setzero_ps();
  }
  for (std::size_t g = 0; g < n_groups; ++g) {
    __m512 dots[V][T];
#pragma GCC unroll 2
    for (int half = 0; half < (kHalves ? 2 : 1); ++half) {
      __m512i total[V][T];
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        __m512i begin = _mm512_setzero_si512();
        if constexpr (Layout::kBits == 8) begin = _mm512_set1_epi32(bias[t][2 * g]);
        if constexpr (kHalves)
          begin =
              _mm512_madd_epi16(broadcast_16(x.bias[t] + 4 * g + 2 * half), _mm512_set1_epi16(1));
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) total[v][t] = begin;
      }
#pragma GCC unroll 8
      for (int j = half * 4; j < (kHalves ? half * 4 + 4 : 8); ++j) {
        __m512i weights[V];
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) weights[v] = _mm512_load_si512(w.values[g][j][2 * v]);
#pragma GCC unroll 8
        for (int t = 0; t < T; ++t) {
          const __m512i four = broadcast_16(x.q[t] + g * kGroup + 4 * j);
#pragma GCC unroll 2
          for (int v = 0; v < V; ++v)
            total[v][t] = _mm512_dpbusd_epi32(total[v][t], weights[v], four);
        }
      }
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
#pragma GCC unroll 2
        for (int v = 0; v < V; ++v) {
          __m512 dot = _mm512_cvtepi32_ps(total[v][t]);
          const __m512 s = _mm512_load_ps(w.scale[g][half][2 * v]);
          if constexpr (kPerGroup)
            dots[v][t] = dot;
          else if (half == 0)
            dots[v][t] = _mm512_mul_ps(dot, s);
          else
            dots[v][t] = _mm512_fmadd_ps(dot, s, dots[v][t]);
        }
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const __m512 xs = _mm512_set1_ps(x.scale[t][g]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v) {
        const __m512 factor =
            kPerGroup ? _mm512_mul_ps(_mm512_load_ps(w.scale[g][0][2 * v]), xs) : xs;
        sum[v][t] = _mm512_fmadd_ps(dots[v][t], factor, sum[v][t]);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      __m512 out = _mm512_load_ps(acc[t] + 16 * v);
      out = kPerGroup ? _mm512_add_ps(out, sum[v][t])
                      : _mm512_fmadd_ps(_mm512_load_ps(w.d[2 * v]), sum[v][t], out);
      _mm512_store_ps(acc[t] + 16 * v, out);
    }
  }
  if constexpr (kHalves || (kPerGroup && Layout::kBits == 8)) return;
  __m512 mins[V][T];
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) mins[v][t] = _mm512_setzero_ps();
  }
  for (std::size_t g = 0; g < n_groups; ++g) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const __m512 xsum = _mm512_set1_ps(x.scaled_sum[t][g]);
#pragma GCC unroll 2
      for (int v = 0; v < V; ++v)
        mins[v][t] = _mm512_fmadd_ps(_mm512_load_ps(w.min[g][2 * v]), xsum, mins[v][t]);
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 2
    for (int v = 0; v < V; ++v) {
      __m512 out = _mm512_load_ps(acc[t] + 16 * v);
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        out = _mm512_add_ps(out, mins[v][t]);
      else
        out = _mm512_fmadd_ps(_mm512_load_ps(w.factor[2 * v]), mins[v][t], out);
      _mm512_store_ps(acc[t] + 16 * v, out);
    }
  }
}

template <class Type, int V, int T>
EDGELM_VNNI512_INLINE void tile_at(const PanelArgs& args, const Unpacked<2 * V>& w,
                                   std::size_t first, std::size_t n_groups, std::size_t token,
                                   float (*acc)[32]) {
  Tokens<T> x;
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    const std::size_t at = token + static_cast<std::size_t>(t);
    x.q[t] = args.x.q + at * args.x.q_stride + first * kGroup;
    x.scale[t] = args.x.scale + at * args.x.scale_stride + first;
    x.scaled_sum[t] = args.x.scaled_sum + at * args.x.scale_stride + first;
    x.bias[t] = args.x.bias + 4 * (at * args.x.scale_stride + first);
  }
  tile<Type, V, T>(w, n_groups, x, acc);
}

// Up to 16 V rows from `row` on, for tokens [begin, begin + count), count <= kTokenBlock.
template <class Type, int V>
EDGELM_VNNI512 void gemm(const PanelArgs& args, std::size_t row, std::size_t begin,
                         std::size_t count) {
  using Layout = PanelLayout<Type>;
  alignas(64) float acc[kTokenBlock][32];
  Unpacked<2 * V> w;
  std::memset(acc, 0, count * sizeof acc[0]);
  const std::size_t n_panels =
      std::min<std::size_t>(2 * V, (args.row_end - row + kPanelRows - 1) / kPanelRows);
  if (n_panels < 2 * V) std::memset(&w, 0, sizeof w);  // rows that are not there
  const std::byte* panel = args.panels + row / kPanelRows * args.panel_bytes;
  std::size_t prefix = 0, chunk = Layout::prefix_bytes(args.cols);
  const std::size_t groups = args.cols / kGroup;
  for (std::size_t first = 0; first < groups; first += kChunkGroups) {
    const std::size_t n = std::min(kChunkGroups, groups - first);
    for (std::size_t p = 0; p < n_panels; ++p) {
      const std::byte* base = panel + p * args.panel_bytes;
      unpack<Type, 2 * V>(base + prefix, base + chunk, n, p, w);
    }
    std::size_t t = 0;
    for (; t + 6 <= count; t += 6) tile_at<Type, V, 6>(args, w, first, n, begin + t, acc + t);
    if (t + 4 <= count) {
      tile_at<Type, V, 4>(args, w, first, n, begin + t, acc + t);
      t += 4;
    }
    if (t + 2 <= count) {
      tile_at<Type, V, 2>(args, w, first, n, begin + t, acc + t);
      t += 2;
    }
    if (t < count) tile_at<Type, V, 1>(args, w, first, n, begin + t, acc + t);
    prefix += 2 * kPanelRows;
    chunk += Layout::chunk_bytes(n);
  }
  for (std::size_t t = 0; t < count; ++t) {
    float* out = args.out + (begin + t) * args.out_stride + row;
    for (std::size_t p = 0; p < n_panels; ++p)
      store_rows(out + 8 * p, args.row_end - row - 8 * p, _mm256_load_ps(acc[t] + 8 * p),
                 args.accumulate);
  }
}

template <class Type, int V>
void gemm_all_tokens(const PanelArgs& args, std::size_t row) {
  for (std::size_t t = 0; t < args.n_tokens; t += kTokenBlock)
    gemm<Type, V>(args, row, t, std::min(kTokenBlock, args.n_tokens - t));
}

template <class Type>
void run(const PanelArgs& args) {
  if (args.n_tokens == 1) return panel_avx2(Type::kType)(args);
  std::size_t row = args.row_begin;
  for (; row + 16 < args.row_end; row += 32) gemm_all_tokens<Type, 2>(args, row);
  if (row < args.row_end) gemm_all_tokens<Type, 1>(args, row);
}

struct Vnni512 {
  template <class Type>
  static constexpr PanelFn kFunction = run<Type>;
};

}  // namespace

PanelWants panel_wants_vnni512(tensor::DType type) {
  return {.bias = type == tensor::DType::kQ6_K || type == tensor::DType::kQ8_0, .wide = false};
}

PanelFn panel_vnni512(tensor::DType type) { return find_panel<Vnni512>(type); }

}  // namespace edgelm::kernels

#endif
