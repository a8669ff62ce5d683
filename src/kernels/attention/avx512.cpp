// Attention with AVX-512: the products of avx2.h on vectors of 16 floats and 32 registers. Every
// element is the same chain of FMAs, so the bits are those of AVX2.

#include "kernels/attention/avx2.h"

#ifdef EDGELM_X86

// GCC 12 finds its own intrinsics to read what they call undefined (its bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace edgelm::kernels {
namespace {

// R rows times P panels, a panel being one vector.
template <std::size_t R, std::size_t P>
EDGELM_VNNI512_INLINE void wide_product_tile(const PanelProduct& x, std::size_t panel) {
  const float* b = x.b + panel * x.panel_stride;
  float* c = x.c + panel * kAttentionPanel;
  const float* a[R];
  __m512 acc[R][P];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
    a[r] = x.a + r * x.a_stride;
#pragma GCC unroll 4
    for (std::size_t j = 0; j < P; ++j)
      acc[r][j] = x.factors == nullptr ? _mm512_setzero_ps()
                                       : _mm512_mul_ps(_mm512_loadu_ps(c + r * x.c_stride + 16 * j),
                                                       _mm512_set1_ps(x.factors[r]));
  }
  const std::size_t n_k = x.n_k;
  for (std::size_t k = 0; k < n_k; ++k) {
    __m512 right[P];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < P; ++j)
      right[j] = _mm512_loadu_ps(b + j * x.panel_stride + k * kAttentionPanel);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) {
      const __m512 left = _mm512_set1_ps(a[r][k]);
#pragma GCC unroll 4
      for (std::size_t j = 0; j < P; ++j) acc[r][j] = _mm512_fmadd_ps(left, right[j], acc[r][j]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < P; ++j) _mm512_storeu_ps(c + r * x.c_stride + 16 * j, acc[r][j]);
  }
}

template <std::size_t R>
EDGELM_VNNI512 void wide_product_rows(const PanelProduct& x) {
  std::size_t panel = 0;
  for (; panel + 4 <= x.n_panels; panel += 4) wide_product_tile<R, 4>(x, panel);
  for (; panel < x.n_panels; ++panel) wide_product_tile<R, 1>(x, panel);
}

// Sixteen elements of row k from `column` on.
EDGELM_VNNI512_INLINE __m512 load_16(const HalfRows& rows, std::size_t k, std::size_t column) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(
      reinterpret_cast<const __m256i*>(rows.base + k * rows.stride + column * 2)));
}
EDGELM_VNNI512_INLINE __m512 bytes_to_floats(const std::byte* at) {
  return _mm512_cvtepi32_ps(
      _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
}
EDGELM_VNNI512_INLINE __m512 load_16(const ByteRowsOfKeys& rows, std::size_t k,
                                     std::size_t column) {
  return _mm512_mul_ps(_mm512_loadu_ps(rows.scales + k / kKvGroup * kAttentionTile + column),
                       bytes_to_floats(rows.base + k * rows.stride + column));
}
EDGELM_VNNI512_INLINE __m512 load_16(const ByteRowsOfValues& rows, std::size_t k,
                                     std::size_t column) {
  return _mm512_mul_ps(_mm512_set1_ps(rows.scales[k * rows.n_groups + column / kKvGroup]),
                       bytes_to_floats(rows.base + k * rows.stride + column));
}

// R rows times V vectors from `column` on.
template <std::size_t R, std::size_t V, class Rows>
EDGELM_VNNI512_INLINE void wide_cache_tile(const CacheProduct& x, const Rows& all_rows,
                                           std::size_t column) {
  const Rows rows = all_rows;
  const std::size_t n_k = x.n_k;
  float* c = x.c + column;
  const float* a[R];
  __m512 acc[R][V];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
    a[r] = x.a + r * x.a_stride;
#pragma GCC unroll 4
    for (std::size_t j = 0; j < V; ++j)
      acc[r][j] = x.factors == nullptr ? _mm512_setzero_ps()
                                       : _mm512_mul_ps(_mm512_loadu_ps(c + r * x.c_stride + 16 * j),
                                                       _mm512_set1_ps(x.factors[r]));
  }
  std::size_t k = 0;
  for (; k + 4 <= n_k; k += 4) {
    prefetch_ahead<16 * V>(rows, k, column);
#pragma GCC unroll 4
    for (std::size_t u = 0; u < 4; ++u) {
      __m512 right[V];
#pragma GCC unroll 4
      for (std::size_t j = 0; j < V; ++j) right[j] = load_16(rows, k + u, column + 16 * j);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < R; ++r) {
        const __m512 left = _mm512_set1_ps(a[r][k + u]);
#pragma GCC unroll 4
        for (std::size_t j = 0; j < V; ++j) acc[r][j] = _mm512_fmadd_ps(left, right[j], acc[r][j]);
      }
    }
  }
  for (; k < n_k; ++k) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) {
      const __m512 left = _mm512_set1_ps(a[r][k]);
#pragma GCC unroll 4
      for (std::size_t j = 0; j < V; ++j)
        acc[r][j] = _mm512_fmadd_ps(left, load_16(rows, k, column + 16 * j), acc[r][j]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < V; ++j) _mm512_storeu_ps(c + r * x.c_stride + 16 * j, acc[r][j]);
  }
}

template <std::size_t R, class Rows>
EDGELM_VNNI512 void wide_cache_rows(const CacheProduct& x, const Rows& rows) {
  constexpr std::size_t kVectors = R <= 4 ? 4 : 2;
  std::size_t column = 0;
  for (; column + 16 * kVectors <= x.n_columns; column += 16 * kVectors)
    wide_cache_tile<R, kVectors>(x, rows, column);
  for (; column + 16 <= x.n_columns; column += 16) wide_cache_tile<R, 1>(x, rows, column);
  for (; column < x.n_columns; column += 8) cache_tile<R, 1>(x, rows, column);
}

template <class Rows>
void wide_cache_product(std::size_t n_rows, const CacheProduct& x, const Rows& rows) {
  switch (n_rows) {
    case 1:
      return wide_cache_rows<1>(x, rows);
    case 2:
      return wide_cache_rows<2>(x, rows);
    case 3:
      return wide_cache_rows<3>(x, rows);
    case 4:
      return wide_cache_rows<4>(x, rows);
    case 5:
      return wide_cache_rows<5>(x, rows);
    case 6:
      return wide_cache_rows<6>(x, rows);
    case 7:
      return wide_cache_rows<7>(x, rows);
    default:
      return wide_cache_rows<8>(x, rows);
  }
}

template <class Narrow>
struct Avx512 : Narrow {
  static std::size_t direct_tile(std::size_t left) { return left; }

  static void product(std::size_t n_rows, const PanelProduct& x) {
    switch (n_rows) {
      case 1:
        return wide_product_rows<1>(x);
      case 2:
        return wide_product_rows<2>(x);
      case 3:
        return wide_product_rows<3>(x);
      case 4:
        return wide_product_rows<4>(x);
      case 5:
        return wide_product_rows<5>(x);
      default:
        return wide_product_rows<6>(x);
    }
  }
  static void keys_product(std::size_t n_rows, const KvHead& kv, const CacheProduct& x) {
    wide_cache_product(n_rows, x, Narrow::key_rows(kv, x));
  }
  static void values_product(std::size_t n_rows, const KvHead& kv, const CacheProduct& x) {
    wide_cache_product(n_rows, x, Narrow::value_rows(kv, x));
  }
};

}  // namespace

void attention_f16_avx512(const AttentionArgs& args) { SpanWalk<Avx512<Avx2F16>>(args).run(); }
void attention_q8_0_avx512(const AttentionArgs& args) { SpanWalk<Avx512<Avx2Q8_0>>(args).run(); }

}  // namespace edgelm::kernels
#endif
