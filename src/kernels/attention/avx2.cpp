// Attention on AVX2 + FMA + F16C. Keys: one, two or three heads times eight or four positions at a
// time, vectors along k_dim, so that a key is converted from f16 once for up to three heads and the
// FMA chains of 8 to 12 accumulators hide each other's latency. Values: vectors along v_dim,
// positions in the inner loop, 64 positions (they stay in L1) for all heads before the next 64.
//
// Every (head, position) dot product is one chain of vector FMAs and one fixed fold of eight lanes;
// every output element is one chain of FMAs per 64 positions. Neither depends on the tile shape.

#include <algorithm>

#include "kernels/attention/attention.h"
#include "kernels/attention/rows.h"
#include "kernels/elementwise/exp_avx2.h"

#ifdef EDGELM_X86
namespace edgelm::kernels {
namespace {

constexpr std::size_t kScoreTile = 8;
constexpr std::size_t kValueTile = 64;
using Row = const std::uint16_t*;

EDGELM_AVX2_INLINE __m256 load_halves(Row p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// Four halves; the upper lanes are zero.
EDGELM_AVX2_INLINE __m256 load_4_halves(Row p) {
  return _mm256_zextps128_ps256(_mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}

// In each 128-bit half, the sums of that half of a, b, c and d.
EDGELM_AVX2_INLINE __m256 fold_4(__m256 a, __m256 b, __m256 c, __m256 d) {
  return _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
}

EDGELM_AVX2_INLINE __m128 add_halves(__m256 x) {
  return _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
}

// scores[h][p] = scale * q[h] . k[p] for H heads and P (4 or 8) positions.
template <std::size_t H, std::size_t P>
EDGELM_AVX2_INLINE void score_tile(const AttentionArgs& a, std::size_t head, const Row* k,
                                   std::size_t position) {
  const float* q = a.q + head * a.k_dim;
  __m256 acc[H][P];
  for (std::size_t h = 0; h < H; ++h)
    for (std::size_t p = 0; p < P; ++p) acc[h][p] = _mm256_setzero_ps();
  std::size_t d = 0;
  for (; d + 8 <= a.k_dim; d += 8) {
    __m256 qs[H];
    for (std::size_t h = 0; h < H; ++h) qs[h] = _mm256_loadu_ps(q + h * a.k_dim + d);
    for (std::size_t p = 0; p < P; ++p) {
      const __m256 key = load_halves(k[p] + d);
      for (std::size_t h = 0; h < H; ++h) acc[h][p] = _mm256_fmadd_ps(qs[h], key, acc[h][p]);
    }
  }
  if (d < a.k_dim) {
    for (std::size_t p = 0; p < P; ++p) {
      const __m256 key = load_4_halves(k[p] + d);
      for (std::size_t h = 0; h < H; ++h) {
        const __m256 qs = _mm256_zextps128_ps256(_mm_loadu_ps(q + h * a.k_dim + d));
        acc[h][p] = _mm256_fmadd_ps(qs, key, acc[h][p]);
      }
    }
  }
  const __m128 scale = _mm_set1_ps(a.scale);
  for (std::size_t h = 0; h < H; ++h) {
    for (std::size_t p = 0; p < P; p += 4) {
      const __m256 folded = fold_4(acc[h][p], acc[h][p + 1], acc[h][p + 2], acc[h][p + 3]);
      _mm_storeu_ps(a.scores + (head + h) * a.score_stride + position + p,
                    _mm_mul_ps(add_halves(folded), scale));
    }
  }
}

// Heads of the next tile: three as long as that leaves no lone head behind.
std::size_t next_heads(std::size_t left) { return left == 4 ? 2 : std::min<std::size_t>(left, 3); }

EDGELM_AVX2 void score_positions(const AttentionArgs& a, std::size_t position) {
  Row k[kScoreTile];
  find_rows(a, position, kScoreTile, a.k_offset, a.k_dim, k);
  for (std::size_t head = 0; head < a.n_heads;) {
    const std::size_t n = next_heads(a.n_heads - head);
    if (n == 1) {
      score_tile<1, 8>(a, head, k, position);
    } else if (n == 2) {
      score_tile<2, 4>(a, head, k, position);
      score_tile<2, 4>(a, head, k + 4, position + 4);
    } else {
      score_tile<3, 4>(a, head, k, position);
      score_tile<3, 4>(a, head, k + 4, position + 4);
    }
    head += n;
  }
}

EDGELM_AVX2_INLINE float horizontal_sum(__m256 x) {
  const __m128 four = add_halves(x);
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

EDGELM_AVX2_INLINE float horizontal_max(__m256 x) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

// Turns n scores into softmax weights, in place. The padding of the last vector repeats the last
// score (see find_rows), so the maximum may look at it; afterwards it is zero.
EDGELM_AVX2 void softmax(float* scores, std::size_t n) {
  __m256 max = _mm256_loadu_ps(scores);
  for (std::size_t i = 8; i < n; i += 8) max = _mm256_max_ps(max, _mm256_loadu_ps(scores + i));
  const __m256 top = _mm256_set1_ps(horizontal_max(max));
  __m256 sum = _mm256_setzero_ps();
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  for (std::size_t i = 0; i < n; i += 8) {
    __m256 e = exp_nonpositive(_mm256_sub_ps(_mm256_loadu_ps(scores + i), top));
    if (n - i < 8) {
      const __m256i valid = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n - i)), lane);
      e = _mm256_and_ps(e, _mm256_castsi256_ps(valid));
    }
    _mm256_storeu_ps(scores + i, e);
    sum = _mm256_add_ps(sum, e);
  }
  const __m256 inverse = _mm256_set1_ps(1.0f / horizontal_sum(sum));
  for (std::size_t i = 0; i < n; i += 8)
    _mm256_storeu_ps(scores + i, _mm256_mul_ps(_mm256_loadu_ps(scores + i), inverse));
}

// out[h][d .. d + 8 N) (+)= sum over n positions of weight[h][p] * v[p][d ..].
template <std::size_t H, std::size_t N>
EDGELM_AVX2_INLINE void value_tile(const float* weights, std::size_t stride, const Row* v,
                                   std::size_t n, std::size_t d, float* out, std::size_t v_dim,
                                   bool add) {
  __m256 acc[H][N];
  for (std::size_t h = 0; h < H; ++h)
    for (std::size_t j = 0; j < N; ++j) acc[h][j] = _mm256_setzero_ps();
  for (std::size_t p = 0; p < n; ++p) {
    __m256 w[H];
    for (std::size_t h = 0; h < H; ++h) w[h] = _mm256_broadcast_ss(weights + h * stride + p);
    for (std::size_t j = 0; j < N; ++j) {
      const __m256 value = load_halves(v[p] + d + 8 * j);
      for (std::size_t h = 0; h < H; ++h) acc[h][j] = _mm256_fmadd_ps(w[h], value, acc[h][j]);
    }
  }
  for (std::size_t h = 0; h < H; ++h) {
    for (std::size_t j = 0; j < N; ++j) {
      float* target = out + h * v_dim + d + 8 * j;
      if (add) acc[h][j] = _mm256_add_ps(_mm256_loadu_ps(target), acc[h][j]);
      _mm256_storeu_ps(target, acc[h][j]);
    }
  }
}

// The last four elements of a v_dim that is not a multiple of 8, one head.
EDGELM_AVX2_INLINE void value_tile_4(const float* weights, const Row* v, std::size_t n,
                                     std::size_t d, float* out, bool add) {
  __m128 acc = _mm_setzero_ps();
  for (std::size_t p = 0; p < n; ++p) {
    const __m128 value = _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(v[p] + d)));
    acc = _mm_fmadd_ps(_mm_broadcast_ss(weights + p), value, acc);
  }
  if (add) acc = _mm_add_ps(_mm_loadu_ps(out + d), acc);
  _mm_storeu_ps(out + d, acc);
}

template <std::size_t H>
EDGELM_AVX2 void value_heads(const AttentionArgs& a, std::size_t head, const Row* v, std::size_t n,
                             std::size_t position) {
  const float* weights = a.scores + head * a.score_stride + position;
  float* out = a.out + head * a.v_dim;
  const bool add = position != 0;
  std::size_t d = 0;
  for (; d + 32 <= a.v_dim; d += 32)
    value_tile<H, 4>(weights, a.score_stride, v, n, d, out, a.v_dim, add);
  for (; d + 16 <= a.v_dim; d += 16)
    value_tile<H, 2>(weights, a.score_stride, v, n, d, out, a.v_dim, add);
  for (; d + 8 <= a.v_dim; d += 8)
    value_tile<H, 1>(weights, a.score_stride, v, n, d, out, a.v_dim, add);
  if (d == a.v_dim) return;
  for (std::size_t h = 0; h < H; ++h)
    value_tile_4(weights + h * a.score_stride, v, n, d, out + h * a.v_dim, add);
}

void value_positions(const AttentionArgs& a, std::size_t position) {
  const std::size_t n = std::min(kValueTile, a.n_positions - position);
  Row v[kValueTile];
  find_rows(a, position, n, a.v_offset, a.v_dim, v);
  for (std::size_t head = 0; head < a.n_heads;) {
    const std::size_t n_heads = next_heads(a.n_heads - head);
    if (n_heads == 1) value_heads<1>(a, head, v, n, position);
    if (n_heads == 2) value_heads<2>(a, head, v, n, position);
    if (n_heads == 3) value_heads<3>(a, head, v, n, position);
    head += n_heads;
  }
}

}  // namespace

void attention_avx2(const AttentionArgs& args) {
  for (std::size_t p = 0; p < args.n_positions; p += kScoreTile) score_positions(args, p);
  for (std::size_t h = 0; h < args.n_heads; ++h)
    softmax(args.scores + h * args.score_stride, args.n_positions);
  for (std::size_t p = 0; p < args.n_positions; p += kValueTile) value_positions(args, p);
}

}  // namespace edgelm::kernels
#endif
