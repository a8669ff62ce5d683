#pragma once
// Attention on AVX2 + FMA + F16C: the register tiles, the softmax of a tile's row, and conversion
// of keys and values to float32 panels; avx512.cpp widens the products. The walk over the tiles is
// tiles.h.

#include "kernels/attention/tiles.h"
#include "kernels/elementwise/exp_avx2.h"

#ifdef EDGELM_X86
namespace edgelm::kernels {

// R rows times P panels: 2 R P accumulators. Six rows keep the two FMA units busy from 12
// accumulators with 8 loads per 12 FMAs; fewer rows take more panels to hide the FMA's latency.
template <std::size_t R, std::size_t P>
EDGELM_AVX2_INLINE void product_tile(const PanelProduct& x, std::size_t panel) {
  const float* b = x.b + panel * x.panel_stride;
  float* c = x.c + panel * kAttentionPanel;
  const float* a[R];  // or GCC computes each address anew, on the ports of the FMAs
  for (std::size_t r = 0; r < R; ++r) a[r] = x.a + r * x.a_stride;
  __m256 acc[R][2 * P];
  for (std::size_t r = 0; r < R; ++r) {
    const __m256 factor = x.factors == nullptr ? _mm256_setzero_ps() : _mm256_set1_ps(x.factors[r]);
    for (std::size_t j = 0; j < 2 * P; ++j)
      acc[r][j] = x.factors == nullptr
                      ? _mm256_setzero_ps()
                      : _mm256_mul_ps(_mm256_loadu_ps(c + r * x.c_stride + 8 * j), factor);
  }
  for (std::size_t k = 0; k < x.n_k; ++k) {
    if constexpr (R >= 2 * P) {
      __m256 right[2 * P];
      for (std::size_t j = 0; j < 2 * P; ++j)
        right[j] = _mm256_loadu_ps(b + j / 2 * x.panel_stride + k * kAttentionPanel + j % 2 * 8);
      for (std::size_t r = 0; r < R; ++r) {
        const __m256 left = _mm256_broadcast_ss(a[r] + k);
        for (std::size_t j = 0; j < 2 * P; ++j)
          acc[r][j] = _mm256_fmadd_ps(left, right[j], acc[r][j]);
      }
    } else {
      __m256 left[R];
      for (std::size_t r = 0; r < R; ++r) left[r] = _mm256_broadcast_ss(a[r] + k);
      for (std::size_t j = 0; j < 2 * P; ++j) {
        const __m256 right =
            _mm256_loadu_ps(b + j / 2 * x.panel_stride + k * kAttentionPanel + j % 2 * 8);
        for (std::size_t r = 0; r < R; ++r) acc[r][j] = _mm256_fmadd_ps(left[r], right, acc[r][j]);
      }
    }
  }
  for (std::size_t r = 0; r < R; ++r)
    for (std::size_t j = 0; j < 2 * P; ++j) _mm256_storeu_ps(c + r * x.c_stride + 8 * j, acc[r][j]);
}

template <std::size_t R, std::size_t P>
EDGELM_AVX2 void product_rows(const PanelProduct& x) {
  std::size_t panel = 0;
  for (; panel + P <= x.n_panels; panel += P) product_tile<R, P>(x, panel);
  if constexpr (P > 1)
    for (; panel < x.n_panels; ++panel) product_tile<R, 1>(x, panel);
}

EDGELM_AVX2_INLINE float horizontal_max(__m256 x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

EDGELM_AVX2_INLINE __m256 load_halves(const std::byte* at) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

EDGELM_AVX2_INLINE __m256 load_bytes(const std::byte* at) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(at));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

// Eight elements of row k from `column` on, as float32, for products straight from the cache.
struct HalfRows {
  const std::byte* base;
  const std::byte* ahead;  // the same, a tile later
  std::size_t stride;      // bytes
  static constexpr std::size_t kElementBytes = 2;
  EDGELM_AVX2_INLINE __m256 load(std::size_t k, std::size_t column) const {
    return load_halves(base + k * stride + column * 2);
  }
};
struct ByteRowsOfKeys {
  const std::byte* base;
  const std::byte* ahead;
  std::size_t stride;
  static constexpr std::size_t kElementBytes = 1;
  const float* scales;  // (k / 32, 64)
  EDGELM_AVX2_INLINE __m256 load(std::size_t k, std::size_t column) const {
    return _mm256_mul_ps(_mm256_loadu_ps(scales + k / kKvGroup * kAttentionTile + column),
                         load_bytes(base + k * stride + column));
  }
};
struct ByteRowsOfValues {
  const std::byte* base;
  const std::byte* ahead;
  std::size_t stride;
  static constexpr std::size_t kElementBytes = 1;
  const float* scales;  // (k, n_groups)
  std::size_t n_groups;
  EDGELM_AVX2_INLINE __m256 load(std::size_t k, std::size_t column) const {
    return _mm256_mul_ps(_mm256_broadcast_ss(scales + k * n_groups + column / kKvGroup),
                         load_bytes(base + k * stride + column));
  }
};

// The cache is larger than the processor's: its lines are fetched into L2 a tile ahead, while there
// is work to do. Several tiles of `kColumns` pass over a line; each fetches its part of the rows.
// Called for every fourth k.
template <std::size_t kColumns, class Rows>
EDGELM_AVX2_INLINE void prefetch_ahead(const Rows& rows, std::size_t k, std::size_t column) {
  constexpr std::size_t kBytes = kColumns * Rows::kElementBytes;
  constexpr std::size_t kPasses = kBytes >= 64 ? 1 : 64 / kBytes;
  const std::size_t pass = column / kColumns % kPasses;
  const std::byte* const at = rows.ahead + column * Rows::kElementBytes;
  if constexpr (kPasses <= 4) {
#pragma GCC unroll 4
    for (std::size_t u = 0; u < 4; u += kPasses) {
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kBytes; i += 64)
        _mm_prefetch(reinterpret_cast<const char*>(at + (k + u + pass) * rows.stride + i),
                     _MM_HINT_T1);
    }
  } else if (k / 4 % (kPasses / 4) == pass / 4) {
    _mm_prefetch(reinterpret_cast<const char*>(at + (k + pass % 4) * rows.stride), _MM_HINT_T1);
  }
}

// R rows times V vectors from `column` on. Four steps at a time, or counting costs as much as the
// products.
template <std::size_t R, std::size_t V, class Rows>
EDGELM_AVX2_INLINE void cache_tile(const CacheProduct& x, const Rows& all_rows,
                                   std::size_t column) {
  const Rows rows = all_rows;
  const std::size_t n_k = x.n_k;
  float* c = x.c + column;
  const float* a[R];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) a[r] = x.a + r * x.a_stride;
  __m256 acc[R][V];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < V; ++j)
      acc[r][j] = x.factors == nullptr ? _mm256_setzero_ps()
                                       : _mm256_mul_ps(_mm256_loadu_ps(c + r * x.c_stride + 8 * j),
                                                       _mm256_broadcast_ss(x.factors + r));
  }
  std::size_t k = 0;
  for (; k + 4 <= n_k; k += 4) {
    prefetch_ahead<8 * V>(rows, k, column);
#pragma GCC unroll 4
    for (std::size_t u = 0; u < 4; ++u) {
      __m256 right[V];
#pragma GCC unroll 4
      for (std::size_t j = 0; j < V; ++j) right[j] = rows.load(k + u, column + 8 * j);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < R; ++r) {
        const __m256 left = _mm256_broadcast_ss(a[r] + k + u);
#pragma GCC unroll 4
        for (std::size_t j = 0; j < V; ++j) acc[r][j] = _mm256_fmadd_ps(left, right[j], acc[r][j]);
      }
    }
  }
  for (; k < n_k; ++k) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) {
      const __m256 left = _mm256_broadcast_ss(a[r] + k);
#pragma GCC unroll 4
      for (std::size_t j = 0; j < V; ++j)
        acc[r][j] = _mm256_fmadd_ps(left, rows.load(k, column + 8 * j), acc[r][j]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < V; ++j) _mm256_storeu_ps(c + r * x.c_stride + 8 * j, acc[r][j]);
  }
}

template <std::size_t R, std::size_t V, class Rows>
EDGELM_AVX2 void cache_rows(const CacheProduct& x, const Rows& rows) {
  std::size_t column = 0;
  for (; column + 8 * V <= x.n_columns; column += 8 * V) cache_tile<R, V>(x, rows, column);
  for (; column < x.n_columns; column += 8) cache_tile<R, 1>(x, rows, column);
}

template <class Rows>
void cache_product(std::size_t n_rows, const CacheProduct& x, const Rows& rows) {
  switch (n_rows) {
    case 1:
      return cache_rows<1, 4>(x, rows);
    case 2:
      return cache_rows<2, 4>(x, rows);
    case 3:
      return cache_rows<3, 4>(x, rows);
    case 4:
      return cache_rows<4, 2>(x, rows);
    case 5:
      return cache_rows<5, 2>(x, rows);
    default:
      return cache_rows<6, 2>(x, rows);
  }
}

// Whether vectors of positions neither leave their block nor straddle two panels.
inline bool whole_vectors(const KvHead& kv, const KvRun& run) {
  return kv.block_tokens % 8 == 0 && run.slot % 8 == 0 && run.at % 8 == 0;
}

// What both cache types share.
struct Avx2 {
  static constexpr std::size_t kRows = 6;
  static constexpr std::size_t kDirectRows = 8;

  // Rows of the next tile: 8 are 5 x 2 and 3 x 4 vectors, whose 10 and 12 sums hide the latency of
  // the FMA; 8 x 1 would convert half as often, and wait.
  static std::size_t direct_tile(std::size_t left) { return left > 6 ? 5 : left; }

  // The last vector of a block's positions or of a value ends where these end.
  static bool reads_directly(const KvHead& kv) {
    return kv.block_tokens % 8 == 0 && kv.v_dim % 8 == 0;
  }

  static void product(std::size_t n_rows, const PanelProduct& x) {
    switch (n_rows) {
      case 1:
        return product_rows<1, 4>(x);
      case 2:
        return product_rows<2, 2>(x);
      case 3:
        return product_rows<3, 2>(x);
      case 4:
        return product_rows<4, 1>(x);
      case 5:
        return product_rows<5, 1>(x);
      default:
        return product_rows<6, 1>(x);
    }
  }

  // Turns the first n scores of a row into weights exp(score - max) after raising the row's
  // maximum; adds them to its eight sums and returns the factor by which what came before shrinks.
  EDGELM_AVX2 static float softmax(float* scores, std::size_t n, float* row_max, float* sums) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256 lowest = _mm256_set1_ps(-FLT_MAX);
    __m256 max = _mm256_set1_ps(*row_max);
    const std::size_t whole = n / 8 * 8;
    for (std::size_t i = 0; i < whole; i += 8)
      max = _mm256_max_ps(_mm256_loadu_ps(scores + i), max);
    if (whole < n) {
      const __m256i seen = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n - whole)), lane);
      const __m256 last =
          _mm256_blendv_ps(lowest, _mm256_loadu_ps(scores + whole), _mm256_castsi256_ps(seen));
      max = _mm256_max_ps(last, max);
    }
    const __m256 top = _mm256_set1_ps(horizontal_max(max));
    const __m256 factor = exp_nonpositive(_mm256_sub_ps(_mm256_set1_ps(*row_max), top));
    __m256 sum[2] = {_mm256_mul_ps(_mm256_loadu_ps(sums), factor), _mm256_setzero_ps()};
    for (std::size_t i = 0; i < whole; i += 8) {
      const __m256 e = exp_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(scores + i), top));
      _mm256_storeu_ps(scores + i, e);
      sum[i / 8 % 2] = _mm256_add_ps(sum[i / 8 % 2], e);
    }
    if (whole < n) {
      const __m256i seen = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n - whole)), lane);
      const __m256 e =
          _mm256_and_ps(exp_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(scores + whole), top)),
                        _mm256_castsi256_ps(seen));
      _mm256_storeu_ps(scores + whole, e);
      sum[0] = _mm256_add_ps(sum[0], e);
    }
    _mm256_storeu_ps(sums, _mm256_add_ps(sum[0], sum[1]));
    *row_max = _mm256_cvtss_f32(top);
    return _mm256_cvtss_f32(factor);
  }

  EDGELM_AVX2 static float fold(const float* sums) {
    const __m128 four = _mm_add_ps(_mm_loadu_ps(sums), _mm_loadu_ps(sums + 4));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
};

struct Avx2F16 : Avx2 {
  static void scales(const KvHead&, const KvRun&, bool, float*) {}

  static HalfRows key_rows(const KvHead& kv, const CacheProduct& x) {
    return {x.run.head + x.run.slot * 2, x.run.ahead + x.run.ahead_slot * 2, kv.block_tokens * 2};
  }
  static HalfRows value_rows(const KvHead& kv, const CacheProduct& x) {
    return {x.run.head + kv.layout.v + x.run.slot * kv.v_dim * 2,
            x.run.ahead + kv.layout.v + x.run.ahead_slot * kv.v_dim * 2, kv.v_dim * 2};
  }
  static void keys_product(std::size_t n_rows, const KvHead& kv, const CacheProduct& x) {
    cache_product(n_rows, x, key_rows(kv, x));
  }
  static void values_product(std::size_t n_rows, const KvHead& kv, const CacheProduct& x) {
    cache_product(n_rows, x, value_rows(kv, x));
  }

  EDGELM_AVX2 static void keys(const KvHead& kv, const KvRun& run, float* panels) {
    if (!whole_vectors(kv, run)) return convert_keys_plainly<KvF16>(kv, run, panels);
    for (std::size_t i = 0; i < run.count; i += 8) {
      const std::byte* from = run.head + (run.slot + i) * 2;
      float* to = key_column(panels, kv.k_dim, run.at + i);
      for (std::size_t d = 0; d < kv.k_dim; d += 4) {
        for (std::size_t j = 0; j < 4; ++j)
          _mm256_storeu_ps(to + j * kAttentionPanel, load_halves(from + j * kv.block_tokens * 2));
        from += 4 * kv.block_tokens * 2;
        to += 4 * kAttentionPanel;
      }
    }
  }

  EDGELM_AVX2 static void values(const KvHead& kv, const KvRun& run, float* panels) {
    std::size_t d = 0;
    for (; d + 8 <= kv.v_dim; d += 8) {
      const std::byte* from = run.head + kv.layout.v + (run.slot * kv.v_dim + d) * 2;
      float* to = value_row(panels, run.at, d);
      for (std::size_t i = 0; i < run.count; ++i, from += kv.v_dim * 2, to += kAttentionPanel)
        _mm256_storeu_ps(to, load_halves(from));
    }
    for (; d < kv.v_dim; ++d)
      for (std::size_t i = 0; i < run.count; ++i)
        *value_row(panels, run.at + i, d) = KvF16::value(kv, run.first + i, d);
  }
};

struct Avx2Q8_0 : Avx2 {
  // float32 scales of a run, where keys_product() and values_product() find them.
  EDGELM_AVX2 static void scales(const KvHead& kv, const KvRun& run, bool keys, float* out) {
    if (keys) {
      const std::byte* from = run.head + kv.layout.k_scales + run.slot * 2;
      for (std::size_t group = 0; group < kv.k_dim / kKvGroup; ++group)
        for (std::size_t i = 0; i < run.count; i += 8)
          _mm256_storeu_ps(out + group * kAttentionTile + run.at + i,
                           load_halves(from + (group * kv.block_tokens + i) * 2));
      return;
    }
    const std::size_t n_groups = kv.v_dim / kKvGroup;
    const std::byte* from = run.head + kv.layout.v_scales + run.slot * n_groups * 2;
    float* to = out + run.at * n_groups;
    for (std::size_t i = 0; i < run.count * n_groups; ++i)
      to[i] = _mm_cvtss_f32(_mm_cvtph_ps(_mm_loadu_si16(from + i * 2)));
  }

  static ByteRowsOfKeys key_rows(const KvHead& kv, const CacheProduct& x) {
    return {x.run.head + x.run.slot, x.run.ahead + x.run.ahead_slot, kv.block_tokens,
            x.scales + x.run.at};
  }
  static ByteRowsOfValues value_rows(const KvHead& kv, const CacheProduct& x) {
    const std::size_t n_groups = kv.v_dim / kKvGroup;
    return {x.run.head + kv.layout.v + x.run.slot * kv.v_dim,
            x.run.ahead + kv.layout.v + x.run.ahead_slot * kv.v_dim, kv.v_dim,
            x.scales + x.run.at * n_groups, n_groups};
  }
  static void keys_product(std::size_t n_rows, const KvHead& kv, const CacheProduct& x) {
    cache_product(n_rows, x, key_rows(kv, x));
  }
  static void values_product(std::size_t n_rows, const KvHead& kv, const CacheProduct& x) {
    cache_product(n_rows, x, value_rows(kv, x));
  }

  EDGELM_AVX2 static void keys(const KvHead& kv, const KvRun& run, float* panels) {
    if (!whole_vectors(kv, run)) return convert_keys_plainly<KvQ8_0>(kv, run, panels);
    for (std::size_t group = 0; group < kv.k_dim / kKvGroup; ++group) {
      const std::byte* scales =
          run.head + kv.layout.k_scales + (group * kv.block_tokens + run.slot) * 2;
      const std::byte* rows = run.head + group * kKvGroup * kv.block_tokens + run.slot;
      for (std::size_t i = 0; i < run.count; i += 8) {
        const __m256 scale = load_halves(scales + i * 2);
        float* column =
            key_column(panels, kv.k_dim, run.at + i) + group * kKvGroup * kAttentionPanel;
        const std::byte* from = rows + i;
        for (std::size_t d = 0; d < kKvGroup; ++d, from += kv.block_tokens)
          _mm256_storeu_ps(column + d * kAttentionPanel, _mm256_mul_ps(scale, load_bytes(from)));
      }
    }
  }

  EDGELM_AVX2 static void values(const KvHead& kv, const KvRun& run, float* panels) {
    const std::size_t n_groups = kv.v_dim / kKvGroup;
    for (std::size_t group = 0; group < n_groups; ++group) {
      const std::byte* from = run.head + kv.layout.v + run.slot * kv.v_dim + group * kKvGroup;
      const std::byte* scales = run.head + kv.layout.v_scales + (run.slot * n_groups + group) * 2;
      float* to = value_row(panels, run.at, group * kKvGroup);
      for (std::size_t i = 0; i < run.count; ++i) {
        const __m256 scale = _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_loadu_si16(scales)));
        for (std::size_t j = 0; j < 4; ++j)
          _mm256_storeu_ps(to + j / 2 * kValuePanel + j % 2 * 8,
                           _mm256_mul_ps(scale, load_bytes(from + 8 * j)));
        from += kv.v_dim;
        scales += n_groups * 2;
        to += kAttentionPanel;
      }
    }
  }
};

}  // namespace edgelm::kernels
#endif
