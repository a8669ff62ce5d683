// Attention on AVX2 + FMA + F16C: the register tiles, the softmax of a tile's row, and conversion
// of keys and values to float32 panels. The walk over the tiles is tiles.h.

#include "kernels/attention/tiles.h"
#include "kernels/elementwise/exp_avx2.h"

#ifdef EDGELM_X86
namespace edgelm::kernels {
namespace {

// R rows times P panels: 2 R P accumulators. Six rows keep the two FMA units busy from 12
// accumulators with 8 loads per 12 FMAs; fewer rows take more panels to hide the FMA's latency.
template <std::size_t R, std::size_t P>
EDGELM_AVX2_INLINE void product_tile(const PanelProduct& x, std::size_t panel) {
  const float* b = x.b + panel * x.panel_stride;
  float* c = x.c + panel * kAttentionPanel;
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
        const __m256 left = _mm256_broadcast_ss(x.a + r * x.a_stride + k);
        for (std::size_t j = 0; j < 2 * P; ++j)
          acc[r][j] = _mm256_fmadd_ps(left, right[j], acc[r][j]);
      }
    } else {
      __m256 left[R];
      for (std::size_t r = 0; r < R; ++r) left[r] = _mm256_broadcast_ss(x.a + r * x.a_stride + k);
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

// Whether vectors of positions neither leave their block nor straddle two panels.
bool whole_vectors(const KvHead& kv, const KvRun& run) {
  return kv.block_tokens % 8 == 0 && run.slot % 8 == 0 && run.at % 8 == 0;
}

// What both cache types share.
struct Avx2 {
  static constexpr std::size_t kRows = 6;

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
  EDGELM_AVX2 static void keys(const KvHead& kv, const KvRun& run, float* panels) {
    if (!whole_vectors(kv, run)) return convert_keys_plainly<KvF16>(kv, run, panels);
    const std::byte* row = run.head + run.slot * 2;
    for (std::size_t d = 0; d < kv.k_dim; ++d, row += kv.block_tokens * 2)
      for (std::size_t i = 0; i < run.count; i += 8)
        _mm256_storeu_ps(key_column(panels, kv.k_dim, run.at + i) + d * kAttentionPanel,
                         load_halves(row + i * 2));
  }

  EDGELM_AVX2 static void values(const KvHead& kv, const KvRun& run, float* panels) {
    const std::byte* row = run.head + kv.layout.v + run.slot * kv.v_dim * 2;
    for (std::size_t i = 0; i < run.count; ++i, row += kv.v_dim * 2) {
      std::size_t d = 0;
      for (; d + 8 <= kv.v_dim; d += 8)
        _mm256_storeu_ps(value_row(panels, run.at + i, d), load_halves(row + d * 2));
      for (; d < kv.v_dim; ++d) *value_row(panels, run.at + i, d) = load_half(row + d * 2);
    }
  }
};

struct Avx2Q8_0 : Avx2 {
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
        for (std::size_t d = 0; d < kKvGroup; ++d)
          _mm256_storeu_ps(column + d * kAttentionPanel,
                           _mm256_mul_ps(scale, load_bytes(rows + d * kv.block_tokens + i)));
      }
    }
  }

  EDGELM_AVX2 static void values(const KvHead& kv, const KvRun& run, float* panels) {
    const std::size_t n_groups = kv.v_dim / kKvGroup;
    const std::byte* row = run.head + kv.layout.v + run.slot * kv.v_dim;
    const std::byte* scales = run.head + kv.layout.v_scales + run.slot * n_groups * 2;
    for (std::size_t i = 0; i < run.count; ++i, row += kv.v_dim, scales += n_groups * 2) {
      for (std::size_t d = 0; d < kv.v_dim; d += 8) {
        const __m256 scale = _mm256_set1_ps(load_half(scales + d / kKvGroup * 2));
        _mm256_storeu_ps(value_row(panels, run.at + i, d),
                         _mm256_mul_ps(scale, load_bytes(row + d)));
      }
    }
  }
};

}  // namespace

void attention_f16_avx2(const AttentionArgs& args) { SpanWalk<Avx2F16>(args).run(); }
void attention_q8_0_avx2(const AttentionArgs& args) { SpanWalk<Avx2Q8_0>(args).run(); }

}  // namespace edgelm::kernels
#endif
