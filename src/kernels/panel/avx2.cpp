// Panel matmul with AVX2 + FMA + F16C. One to four tokens: a panel is streamed from memory and
// unpacked in registers (decode_panel). More: 16 rows x 256 columns are unpacked to bytes in L1
// once and meet all tokens in tiles of 16 rows x 4 tokens (gemm). See avx2_group.h for the integer
// products.
//
// Instructions of the inner loop per byte of packed weights, scales included (GCC 12; those of SDOT
// and SMMLA stand in dotprod.cpp and i8mm.cpp):
//                                          Q4_0  Q5_0  Q5_1  Q8_0  Q4_K  Q5_K  Q6_K
//   one token                               .38   .45   .42   .22   .40   .48   .41
//   a tile of 4 tokens, unpacking apart     .81   .72   .66   .70   .78   .69   .60
// Reading memory at its limit takes 4 to 5.5 bytes per cycle and core, so one token may cost .7 at
// the four instructions per cycle that these loops reach.

#include <algorithm>

#include "kernels/panel/avx2_group.h"
#include "kernels/panel/tables.h"

#ifdef EDGELM_X86

namespace edgelm::kernels {
namespace {

constexpr std::size_t kTokenBlock = 128;  // tokens whose sums stay in L1 while a panel pair passes

// --- one to three tokens
// --------------------------------------------------------------------------------

struct OneSubScale {
  __m256i scale;
  EDGELM_AVX2_INLINE __m256i get(int, int) const { return scale; }
};
struct HalfSubScales {
  __m256i scale[2];
  EDGELM_AVX2_INLINE __m256i get(int, int half) const { return scale[half]; }
};

// Where the activations of T tokens stand in one chunk.
template <int T>
struct Tokens {
  const std::int8_t* q[T];
  const std::int16_t* bias[T];
  const std::int16_t* wide[T];
  const float* scale[T];
  const float* scaled_sum[T];

  EDGELM_AVX2_INLINE static Tokens at(const PanelArgs& args, std::size_t token, std::size_t group) {
    Tokens x;
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      const std::size_t row = token + static_cast<std::size_t>(t);
      x.q[t] = args.x.q + row * args.x.q_stride + group * kGroup;
      x.scale[t] = args.x.scale + row * args.x.scale_stride + group;
      x.scaled_sum[t] = args.x.scaled_sum + row * args.x.scale_stride + group;
      x.bias[t] = moved(args.x.bias, 4 * (row * args.x.scale_stride + group));
      x.wide[t] = moved(args.x.wide, row * args.x.q_stride + group * kGroup);
    }
    return x;
  }
  template <int kBits>
  [[nodiscard]] EDGELM_AVX2_INLINE TokenGroup<T> group(std::size_t g) const {
    TokenGroup<T> out;
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      out.q[t] = q[t] + g * kGroup;
      out.bias[t] = kBits == 6 ? bias[t] + 4 * g : nullptr;
    }
    return out;
  }
};

template <class Type, int T>
EDGELM_AVX2_INLINE void decode_chunk(const std::byte* prefix, const std::byte* chunk,
                                     std::size_t n_groups, const Tokens<T>& x, __m256 (&out)[T]) {
  using Layout = PanelLayout<Type>;
  constexpr int kBits = Layout::kBits;
  const std::byte* group = chunk + Layout::header_bytes(n_groups);
  __m256 sum[T], mins[T];
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) sum[t] = mins[t] = _mm256_setzero_ps();
  SixBits six;
  if constexpr (Layout::kScales == PanelScales::kSuper) unpack_six_bits(chunk, six);
  for (std::size_t g = 0; g < n_groups; ++g) {
    prefetch_stream<Layout::kGroupBytes>(group);
    const TokenGroup<T> tokens = x.template group<kBits>(g);
    const PackedGroup<kBits> weights{group};
    const std::size_t at = g * kPanelRows;
    __m256i dots[1][T];
    __m256 d = _mm256_setzero_ps(), min = d;
    if constexpr (Layout::kScales == PanelScales::kSuper) {
      dot_group<kBits, 1, T>(weights, tokens, OneSubScale{spread_unsigned(six.scale + at)}, dots);
      min = bytes_to_floats(six.min + at);
    } else if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
      const std::byte* s = chunk + 2 * at;
      dot_group<kBits, 1, T>(
          weights, tokens, HalfSubScales{{spread_signed(s), spread_signed(s + kPanelRows)}}, dots);
    } else {
      dot_group<kBits, 1, T>(weights, tokens, OneSubScale{_mm256_set1_epi16(1)}, dots);
      d = load_8_halves(chunk + 2 * at);
      min = d;
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        min = load_8_halves(chunk + 2 * (n_groups * kPanelRows + at));
    }
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      const __m256 xs = _mm256_broadcast_ss(x.scale[t] + g);
      const __m256 factor = Layout::kWholeChunks ? xs : _mm256_mul_ps(d, xs);
      sum[t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[0][t]), factor, sum[t]);
      if constexpr (Layout::kScales == PanelScales::kSuper ||
                    Layout::kScales == PanelScales::kPerGroupMin || Layout::kOffset != 0) {
        if constexpr (Layout::kScales != PanelScales::kSuperHalves)
          mins[t] = _mm256_fmadd_ps(min, _mm256_broadcast_ss(x.scaled_sum[t] + g), mins[t]);
      }
    }
    group += Layout::kGroupBytes;
  }
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) out[t] = end_chunk<Type>(prefix, chunk, sum[t], mins[t], out[t]);
}

// Eight rows for tokens 0 .. T-1. Unpacking again for each eight rows costs less than a detour
// through L1: two tokens 60 instead of 39 GMAC/s (Q4_K), four 85 instead of 68.
template <class Type, int T>
EDGELM_AVX2 void decode_panel(const PanelArgs& args, std::size_t row) {
  using Layout = PanelLayout<Type>;
  const std::byte* prefix = args.panels + row / kPanelRows * args.panel_bytes;
  const std::byte* chunk = prefix + Layout::prefix_bytes(args.cols);
  __m256 out[T];
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) out[t] = _mm256_setzero_ps();
  const std::size_t groups = args.cols / kGroup;
  std::size_t first = 0;
  for (; first + kChunkGroups <= groups; first += kChunkGroups) {
    decode_chunk<Type, T>(prefix, chunk, kChunkGroups, Tokens<T>::at(args, 0, first), out);
    prefix += 2 * kPanelRows;
    chunk += Layout::chunk_bytes(kChunkGroups);
  }
  if constexpr (!Layout::kWholeChunks) {
    if (first < groups)
      decode_chunk<Type, T>(prefix, chunk, groups - first, Tokens<T>::at(args, 0, first), out);
  }
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t)
    store_rows(args.out + static_cast<std::size_t>(t) * args.out_stride + row, args.row_end - row,
               out[t], args.accumulate);
}

template <class Type, int T>
void decode_rows(const PanelArgs& args) {
  for (std::size_t row = args.row_begin; row < args.row_end; row += kPanelRows)
    decode_panel<Type, T>(args, row);
}

// --- several tokens ---------------------------------------------------------------------------

// One chunk of P panels, unpacked. Vectors are (.., panel), so that 64 bytes are 16 rows.
template <int kBits, int P>
struct Unpacked {
  static constexpr std::size_t kVectors = kBits == 8 ? 16 : 8;
  alignas(64) std::byte values[kChunkGroups][kVectors][P][32];
  alignas(64) std::int16_t sub_scale[kChunkGroups][2][P][16];
  alignas(64) float scale[kChunkGroups][P][8];  // d of a group
  alignas(64) float min[kChunkGroups][P][8];
  alignas(64) float d[P][8];       // of the chunk
  alignas(64) float factor[P][8];  // of the minima
};

template <class Type, int P>
EDGELM_AVX2 void unpack(const std::byte* prefix, const std::byte* chunk, std::size_t n_groups,
                        int p, Unpacked<PanelLayout<Type>::kBits, P>& out) {
  using Layout = PanelLayout<Type>;
  const std::byte* group = chunk + Layout::header_bytes(n_groups);
  SixBits six;
  if constexpr (Layout::kScales == PanelScales::kSuper) {
    unpack_six_bits(chunk, six);
    _mm256_store_ps(out.d[p], load_8_halves(chunk));
    _mm256_store_ps(out.factor[p],
                    _mm256_xor_ps(load_8_halves(chunk + 2 * kPanelRows), _mm256_set1_ps(-0.0f)));
  }
  if constexpr (Layout::kScales == PanelScales::kSuperHalves)
    _mm256_store_ps(out.d[p], load_8_halves(prefix));
  for (std::size_t g = 0; g < n_groups; ++g) {
    prefetch_stream<Layout::kGroupBytes>(group);
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) {
      const __m256i bytes = packed_vector<Layout::kBits>(group, j);
      if constexpr (Layout::kBits == 8) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(out.values[g][2 * j][p]),
                           _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8));
        _mm256_store_si256(reinterpret_cast<__m256i*>(out.values[g][2 * j + 1][p]),
                           _mm256_srai_epi16(bytes, 8));
      } else {
        _mm256_store_si256(reinterpret_cast<__m256i*>(out.values[g][j][p]), bytes);
      }
    }
    const std::size_t at = g * kPanelRows;
    if constexpr (Layout::kScales == PanelScales::kSuper) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(out.sub_scale[g][0][p]),
                         spread_unsigned(six.scale + at));
      _mm256_store_ps(out.min[g][p], bytes_to_floats(six.min + at));
    } else if constexpr (Layout::kScales == PanelScales::kSuperHalves) {
#pragma GCC unroll 2
      for (std::size_t half = 0; half < 2; ++half)
        _mm256_store_si256(reinterpret_cast<__m256i*>(out.sub_scale[g][half][p]),
                           spread_signed(chunk + 2 * at + half * kPanelRows));
    } else {
      _mm256_store_ps(out.scale[g][p], load_8_halves(chunk + 2 * at));
      if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        _mm256_store_ps(out.min[g][p], load_8_halves(chunk + 2 * (n_groups * kPanelRows + at)));
    }
    group += Layout::kGroupBytes;
  }
}

template <int P>
struct StoredSubScales {
  const std::int16_t (*rows)[P][16];  // (half, panel, row pair)
  int n_halves;
  EDGELM_AVX2_INLINE __m256i get(int p, int half) const {
    return load_bytes(rows[n_halves == 2 ? half : 0][p]);
  }
};

// Adds one chunk to the sums of P x 8 rows x T tokens; acc[t][p][row].
template <class Type, int P, int T>
EDGELM_AVX2 __attribute__((noinline)) void tile(const Unpacked<PanelLayout<Type>::kBits, P>& w,
                                                std::size_t n_groups, const Tokens<T>& x,
                                                float (*acc)[16]) {
  using Layout = PanelLayout<Type>;
  constexpr int kBits = Layout::kBits;
  constexpr bool kPerGroup = !Layout::kWholeChunks;
  __m256 sum[P][T];
#pragma GCC unroll 2
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) sum[p][t] = _mm256_setzero_ps();
  }
  for (std::size_t g = 0; g < n_groups; ++g) {
    const TokenGroup<T> group = x.template group<kBits>(g);
    __m256i dots[P][T];
    const UnpackedGroup<P> weights{w.values[g][0][0]};
    if constexpr (kBits == 8) {
      const std::int16_t* wide[T];
#pragma GCC unroll 4
      for (int t = 0; t < T; ++t) wide[t] = x.wide[t] + g * kGroup;
      dot_group_wide<P, T>(reinterpret_cast<const std::int16_t*>(w.values[g][0][0]), wide, dots);
    } else if constexpr (kPerGroup)
      dot_group<kBits, P, T>(weights, group, OneSubScale{_mm256_set1_epi16(1)}, dots);
    else
      dot_group<kBits, P, T>(weights, group, StoredSubScales<P>{w.sub_scale[g], kBits == 6 ? 2 : 1},
                             dots);
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      const __m256 xs = _mm256_broadcast_ss(x.scale[t] + g);
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p) {
        const __m256 factor = kPerGroup ? _mm256_mul_ps(_mm256_load_ps(w.scale[g][p]), xs) : xs;
        sum[p][t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots[p][t]), factor, sum[p][t]);
      }
    }
  }
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 2
    for (int p = 0; p < P; ++p) {
      __m256 out = _mm256_load_ps(acc[t] + 8 * p);
      out = kPerGroup ? _mm256_add_ps(out, sum[p][t])
                      : _mm256_fmadd_ps(_mm256_load_ps(w.d[p]), sum[p][t], out);
      _mm256_store_ps(acc[t] + 8 * p, out);
    }
  }
  if constexpr (Layout::kScales == PanelScales::kSuperHalves || (kPerGroup && kBits == 8)) return;
  const auto& min = Layout::kScales == PanelScales::kPerGroup ? w.scale : w.min;
  __m256 mins[P][T];
#pragma GCC unroll 2
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) mins[p][t] = _mm256_setzero_ps();
  }
  for (std::size_t g = 0; g < n_groups; ++g) {
#pragma GCC unroll 4
    for (int t = 0; t < T; ++t) {
      const __m256 xsum = _mm256_broadcast_ss(x.scaled_sum[t] + g);
#pragma GCC unroll 2
      for (int p = 0; p < P; ++p)
        mins[p][t] = _mm256_fmadd_ps(_mm256_load_ps(min[g][p]), xsum, mins[p][t]);
    }
  }
#pragma GCC unroll 4
  for (int t = 0; t < T; ++t) {
#pragma GCC unroll 2
    for (int p = 0; p < P; ++p) {
      __m256 out = _mm256_load_ps(acc[t] + 8 * p);
      if constexpr (Layout::kScales == PanelScales::kSuper)
        out = _mm256_fmadd_ps(_mm256_load_ps(w.factor[p]), mins[p][t], out);
      else if constexpr (Layout::kScales == PanelScales::kPerGroupMin)
        out = _mm256_add_ps(out, mins[p][t]);
      else
        out =
            _mm256_fmadd_ps(_mm256_set1_ps(-static_cast<float>(Layout::kOffset)), mins[p][t], out);
      _mm256_store_ps(acc[t] + 8 * p, out);
    }
  }
}

template <class Type, int P, int T>
EDGELM_AVX2_INLINE void tile_at(const PanelArgs& args,
                                const Unpacked<PanelLayout<Type>::kBits, P>& w, std::size_t first,
                                std::size_t n_groups, std::size_t token, float (*acc)[16]) {
  tile<Type, P, T>(w, n_groups, Tokens<T>::at(args, token, first), acc);
}

// Rows [row, row + 8 P) for tokens [begin, begin + count), count <= kTokenBlock.
template <class Type, int P>
EDGELM_AVX2 void gemm(const PanelArgs& args, std::size_t row, std::size_t begin,
                      std::size_t count) {
  using Layout = PanelLayout<Type>;
  alignas(64) float acc[kTokenBlock][16];
  Unpacked<Layout::kBits, P> w;
  std::memset(acc, 0, count * sizeof acc[0]);
  const std::byte* panel = args.panels + row / kPanelRows * args.panel_bytes;
  std::size_t prefix = 0, chunk = Layout::prefix_bytes(args.cols);
  const std::size_t groups = args.cols / kGroup;
  for (std::size_t first = 0; first < groups; first += kChunkGroups) {
    const std::size_t n = std::min(kChunkGroups, groups - first);
#pragma GCC unroll 2
    for (int p = 0; p < P; ++p) {
      const std::byte* base = panel + static_cast<std::size_t>(p) * args.panel_bytes;
      unpack<Type, P>(base + prefix, base + chunk, n, p, w);
    }
    std::size_t t = 0;
    for (; t + 4 <= count; t += 4) tile_at<Type, P, 4>(args, w, first, n, begin + t, acc + t);
    if (count - t == 3) tile_at<Type, P, 3>(args, w, first, n, begin + t, acc + t);
    if (count - t == 2) tile_at<Type, P, 2>(args, w, first, n, begin + t, acc + t);
    if (count - t == 1) tile_at<Type, P, 1>(args, w, first, n, begin + t, acc + t);
    prefix += 2 * kPanelRows;
    chunk += Layout::chunk_bytes(n);
  }
  for (std::size_t t = 0; t < count; ++t) {
    float* out = args.out + (begin + t) * args.out_stride + row;
#pragma GCC unroll 2
    for (std::size_t p = 0; p < P; ++p)
      store_rows(out + 8 * p, args.row_end - row - 8 * p, _mm256_load_ps(acc[t] + 8 * p),
                 args.accumulate);
  }
}

template <class Type, int P>
void gemm_all_tokens(const PanelArgs& args, std::size_t row) {
  for (std::size_t t = 0; t < args.n_tokens; t += kTokenBlock)
    gemm<Type, P>(args, row, t, std::min(kTokenBlock, args.n_tokens - t));
}

template <class Type>
void run(const PanelArgs& args) {
  std::size_t row = args.row_begin;
  if (args.n_tokens == 1) return decode_rows<Type, 1>(args);
  if (args.n_tokens == 2) return decode_rows<Type, 2>(args);
  if (args.n_tokens == 3) return decode_rows<Type, 3>(args);
  if (args.n_tokens == 4) return decode_rows<Type, 4>(args);
  static_assert(kFewTokens == 4);
  for (; row + kPanelRows < args.row_end; row += 2 * kPanelRows)
    gemm_all_tokens<Type, 2>(args, row);
  if (row < args.row_end) gemm_all_tokens<Type, 1>(args, row);
}

struct Avx2 {
  template <class Type>
  static constexpr PanelFn kFunction = run<Type>;
};

}  // namespace

EDGELM_AVX2 void panel_bias_avx2(const std::int8_t* q, std::size_t n, std::int16_t* bias) {
  for (std::size_t i = 0; i < n; i += kGroup) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(32), load_bytes(q + i));
    pairs = _mm256_add_epi16(pairs, _mm256_shuffle_epi32(pairs, 0x4e));
    pairs = _mm256_add_epi16(pairs, _mm256_shuffle_epi32(pairs, 0xb1));
    pairs = _mm256_sub_epi16(_mm256_setzero_si256(), pairs);
    const std::int32_t halves[2] = {_mm256_extract_epi32(pairs, 0), _mm256_extract_epi32(pairs, 4)};
    std::memcpy(bias + i / 8, halves, sizeof halves);
  }
}

EDGELM_AVX2 void panel_wide_avx2(const std::int8_t* q, std::size_t n, std::int16_t* wide) {
  for (std::size_t i = 0; i < n; i += 32) {
    const __m256i bytes = load_bytes(q + i);
    const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);  // 0, 2 of each four
    const __m256i odd = _mm256_srai_epi16(bytes, 8);
    const __m256i low = _mm256_unpacklo_epi32(even, odd);  // of each 128 bits, the first 8 columns
    const __m256i high = _mm256_unpackhi_epi32(even, odd);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(wide + i),
                        _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(wide + i + 16),
                        _mm256_permute2x128_si256(low, high, 0x31));
  }
}

PanelWants panel_wants_avx2(tensor::DType type) {
  return {.bias = type == tensor::DType::kQ6_K, .wide = type == tensor::DType::kQ8_0};
}

PanelFn panel_avx2(tensor::DType type) { return find_panel<Avx2>(type); }

}  // namespace edgelm::kernels

#endif
