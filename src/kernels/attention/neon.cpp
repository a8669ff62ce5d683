// Attention on NEON. The plan of avx2.cpp with the 32 registers of NEON: up to four heads share the
// conversion of a key or a value from f16 (FCVTL runs at half the rate of FMLA on a Cortex-A76),
// and 8 to 16 accumulators hide the latency of FMLA. Values are read 64 positions at a time, from
// L1.
//
// Every (head, position) dot product is one chain of vector FMAs and one fixed fold of four lanes;
// every output element is one chain of FMAs per 64 positions. Neither depends on the tile shape.

#include "kernels/attention/attention.h"
#include "kernels/attention/rows.h"
#include "kernels/elementwise/exp_neon.h"

#ifdef EDGELM_ARM
namespace edgelm::kernels {
namespace {

constexpr std::size_t kScoreTile = 8;
constexpr std::size_t kValueTile = 64;
using Row = const std::uint16_t*;

inline float32x4_t load_halves(Row p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }

// scores[h][p] = scale * q[h] . k[p] for H heads and P (4 or 8) positions.
template <std::size_t H, std::size_t P>
inline void score_tile(const AttentionArgs& a, std::size_t head, const Row* k,
                       std::size_t position) {
  const float* q = a.q + head * a.k_dim;
  float32x4_t acc[H][P];
  for (std::size_t h = 0; h < H; ++h)
    for (std::size_t p = 0; p < P; ++p) acc[h][p] = vdupq_n_f32(0);
  for (std::size_t d = 0; d < a.k_dim; d += 4) {
    float32x4_t qs[H];
    for (std::size_t h = 0; h < H; ++h) qs[h] = vld1q_f32(q + h * a.k_dim + d);
    for (std::size_t p = 0; p < P; ++p) {
      const float32x4_t key = load_halves(k[p] + d);
      for (std::size_t h = 0; h < H; ++h) acc[h][p] = vfmaq_f32(acc[h][p], qs[h], key);
    }
  }
  for (std::size_t h = 0; h < H; ++h) {
    for (std::size_t p = 0; p < P; p += 4) {
      const float32x4_t folded = vpaddq_f32(vpaddq_f32(acc[h][p], acc[h][p + 1]),
                                            vpaddq_f32(acc[h][p + 2], acc[h][p + 3]));
      vst1q_f32(a.scores + (head + h) * a.score_stride + position + p,
                vmulq_n_f32(folded, a.scale));
    }
  }
}

// Heads of the next tile: four as long as that leaves no lone head behind.
std::size_t next_heads(std::size_t left) {
  if (left == 5) return 3;
  return left < 4 ? left : 4;
}

void score_positions(const AttentionArgs& a, std::size_t position) {
  Row k[kScoreTile];
  find_rows(a, position, kScoreTile, a.k_offset, a.k_dim, k);
  for (std::size_t head = 0; head < a.n_heads;) {
    const std::size_t n = next_heads(a.n_heads - head);
    if (n == 1) {
      score_tile<1, 8>(a, head, k, position);
    } else if (n == 2) {
      score_tile<2, 8>(a, head, k, position);
    } else if (n == 3) {
      score_tile<3, 4>(a, head, k, position);
      score_tile<3, 4>(a, head, k + 4, position + 4);
    } else {
      score_tile<4, 4>(a, head, k, position);
      score_tile<4, 4>(a, head, k + 4, position + 4);
    }
    head += n;
  }
}

// Turns n scores into softmax weights, in place. The padding of the last vector repeats the last
// score (see find_rows), so the maximum may look at it; afterwards it is zero.
void softmax(float* scores, std::size_t n) {
  float32x4_t max = vld1q_f32(scores);
  for (std::size_t i = 4; i < n; i += 4) max = vmaxq_f32(max, vld1q_f32(scores + i));
  const float32x4_t top = vdupq_n_f32(vmaxvq_f32(max));
  constexpr std::uint32_t kLane[4] = {0, 1, 2, 3};
  float32x4_t sum = vdupq_n_f32(0);
  for (std::size_t i = 0; i < n; i += 4) {
    float32x4_t e = exp_nonpositive(vsubq_f32(vld1q_f32(scores + i), top));
    if (n - i < 4) {
      const uint32x4_t valid =
          vcltq_u32(vld1q_u32(kLane), vdupq_n_u32(static_cast<std::uint32_t>(n - i)));
      e = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(e), valid));
    }
    vst1q_f32(scores + i, e);
    sum = vaddq_f32(sum, e);
  }
  const float inverse = 1.0f / vaddvq_f32(sum);
  for (std::size_t i = 0; i < n; i += 4)
    vst1q_f32(scores + i, vmulq_n_f32(vld1q_f32(scores + i), inverse));
}

// out[h][d .. d + 4 N) (+)= sum over n positions of weight[h][p] * v[p][d ..].
template <std::size_t H, std::size_t N>
inline void value_tile(const float* weights, std::size_t stride, const Row* v, std::size_t n,
                       std::size_t d, float* out, std::size_t v_dim, bool add) {
  float32x4_t acc[H][N];
  for (std::size_t h = 0; h < H; ++h)
    for (std::size_t j = 0; j < N; ++j) acc[h][j] = vdupq_n_f32(0);
  for (std::size_t p = 0; p < n; ++p) {
    for (std::size_t j = 0; j < N; ++j) {
      const float32x4_t value = load_halves(v[p] + d + 4 * j);
      for (std::size_t h = 0; h < H; ++h)
        acc[h][j] = vfmaq_n_f32(acc[h][j], value, weights[h * stride + p]);
    }
  }
  for (std::size_t h = 0; h < H; ++h) {
    for (std::size_t j = 0; j < N; ++j) {
      float* target = out + h * v_dim + d + 4 * j;
      if (add) acc[h][j] = vaddq_f32(vld1q_f32(target), acc[h][j]);
      vst1q_f32(target, acc[h][j]);
    }
  }
}

template <std::size_t H>
void value_heads(const AttentionArgs& a, std::size_t head, const Row* v, std::size_t n,
                 std::size_t position) {
  constexpr std::size_t kWide = H <= 2 ? 8 : 4;  // vectors of four: 8 to 16 accumulators
  const float* weights = a.scores + head * a.score_stride + position;
  float* out = a.out + head * a.v_dim;
  const bool add = position != 0;
  std::size_t d = 0;
  for (; d + 4 * kWide <= a.v_dim; d += 4 * kWide)
    value_tile<H, kWide>(weights, a.score_stride, v, n, d, out, a.v_dim, add);
  for (; d + 16 <= a.v_dim; d += 16)
    value_tile<H, 4>(weights, a.score_stride, v, n, d, out, a.v_dim, add);
  for (; d < a.v_dim; d += 4) value_tile<H, 1>(weights, a.score_stride, v, n, d, out, a.v_dim, add);
}

void value_positions(const AttentionArgs& a, std::size_t position) {
  const std::size_t left = a.n_positions - position;
  const std::size_t n = left < kValueTile ? left : kValueTile;
  Row v[kValueTile];
  find_rows(a, position, n, a.v_offset, a.v_dim, v);
  for (std::size_t head = 0; head < a.n_heads;) {
    const std::size_t n_heads = next_heads(a.n_heads - head);
    if (n_heads == 1) value_heads<1>(a, head, v, n, position);
    if (n_heads == 2) value_heads<2>(a, head, v, n, position);
    if (n_heads == 3) value_heads<3>(a, head, v, n, position);
    if (n_heads == 4) value_heads<4>(a, head, v, n, position);
    head += n_heads;
  }
}

}  // namespace

void attention_neon(const AttentionArgs& args) {
  for (std::size_t p = 0; p < args.n_positions; p += kScoreTile) score_positions(args, p);
  for (std::size_t h = 0; h < args.n_heads; ++h)
    softmax(args.scores + h * args.score_stride, args.n_positions);
  for (std::size_t p = 0; p < args.n_positions; p += kValueTile) value_positions(args, p);
}

}  // namespace edgelm::kernels
#endif
