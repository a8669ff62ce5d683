// Matmul with AVX2 + FMA. Called through the kernel table; decoders stand in tensor/types/.
//
// One output is one vector accumulator. Quantized weights come in chunks of eight groups: bytes are
// multiplied pairwise into int16 (vpmaddubsw), summed into eight int32 (vpmaddwd, which also
// applies 6- and 8-bit sub-scales exactly), converted and added as float times weight scale times
// activation scale. Offsets are one fused multiply-add per chunk, one lane per group.
//
// vpmaddubsw saturates at 32767: the largest pair sum is 2 * 128 * 127 = 32512 for Q8_0.

#include "base/target.h"

#ifdef EDGELM_X86

#include "kernels/matmul/tables.h"

namespace edgelm::kernels {
namespace {

EDGELM_AVX2_INLINE float sum_of_lanes(__m256 v) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}

template <int R, int T>
EDGELM_AVX2_INLINE void store_sums(const MatmulArgs& args, std::size_t row, std::size_t token,
                                   const __m256 (&acc)[R][T]) {
#pragma GCC unroll 8
  for (int t = 0; t < T; ++t) {
    float* out = args.out + (token + static_cast<std::size_t>(t)) * args.out_stride + row;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const float sum = sum_of_lanes(acc[r][t]);
      out[r] = args.accumulate ? out[r] + sum : sum;
    }
  }
}

EDGELM_AVX2_INLINE __m256i first_lanes(std::size_t count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
}

EDGELM_AVX2_INLINE __m256 load_lanes(const float* source, std::size_t count) {
  return count == 8 ? _mm256_loadu_ps(source) : _mm256_maskload_ps(source, first_lanes(count));
}

// int32 sums of 32 products, times the sub-scales of the group where the type has them.
template <class Simd>
EDGELM_AVX2_INLINE __m256i dot_group(__m256i weights, __m256i activations, __m256i sub_scale) {
  const __m256i pairs =
      Simd::kUnsigned
          ? _mm256_maddubs_epi16(weights, activations)
          : _mm256_maddubs_epi16(_mm256_abs_epi8(weights), _mm256_sign_epi8(activations, weights));
  return _mm256_madd_epi16(pairs, sub_scale);
}

// Adds up to eight groups, beginning at `group`, to R x T accumulators. `weights` point at the
// first block of the chunk in each row.
template <class Type, int R, int T>
EDGELM_AVX2_INLINE void add_chunk(const MatmulArgs& args, const std::byte* const (&weights)[R],
                                  std::size_t token, std::size_t group, std::size_t n_groups,
                                  __m256 (&acc)[R][T]) {
  using Simd = typename Type::Avx2;
  alignas(32) float scales[R][T][8];  // weight scale * activation scale, broadcast from here
  __m256i sub_scales[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const tensor::ChunkAvx2 chunk = Simd::chunk(weights[r], n_groups);
    sub_scales[r] = chunk.sub_scale;
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const std::size_t at = (token + static_cast<std::size_t>(t)) * args.x.scale_stride + group;
      const __m256 x_scale = load_lanes(args.x.scale + at, n_groups);
      _mm256_store_ps(scales[r][t], _mm256_mul_ps(chunk.scale, x_scale));
      if constexpr (Simd::kHasOffset) {
        const __m256 x_sum = load_lanes(args.x.scaled_sum + at, n_groups);
        acc[r][t] = _mm256_fmadd_ps(chunk.offset, x_sum, acc[r][t]);
      }
    }
  }
  const std::int8_t* x = args.x.q + token * args.x.q_stride + group * kGroup;
#pragma GCC unroll 8
  for (std::size_t g = 0; g < n_groups; ++g) {
    const __m256i spread = _mm256_set1_epi16(static_cast<std::int16_t>(0x0100 + 0x0202 * g));
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const __m256i bytes = Simd::group(weights[r], g);
      const __m256i sub_scale =
          Simd::kSubScales ? _mm256_shuffle_epi8(sub_scales[r], spread) : _mm256_set1_epi16(1);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) {
        const __m256i activations = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(
            x + static_cast<std::size_t>(t) * args.x.q_stride + g * kGroup));
        const __m256i dot = dot_group<Simd>(bytes, activations, sub_scale);
        acc[r][t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), _mm256_broadcast_ss(&scales[r][t][g]),
                                    acc[r][t]);
      }
    }
  }
}

// Rows are too short (1 to 5 KB) for the hardware prefetcher: each tile begins as many new streams
// as it has rows. So every chunk asks for the same place of the next tile. One token, weights from
// memory, one core of a Sapphire Rapids Xeon: Q8_0 8.1 -> 10.5, Q4_K 5.7 -> 8.0, Q6_K 6.5 -> 9.0
// GB/s. Prefetching past the end of the weights is allowed: it cannot fault.
template <std::size_t kBytes, int R>
EDGELM_AVX2_INLINE void prefetch(const std::byte* const (&weights)[R], std::size_t ahead) {
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kBytes; i += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(weights[r] + ahead + i), _MM_HINT_T0);
    }
  }
}

template <class Type, int R, int T>
EDGELM_AVX2 void quantized_tile(const MatmulArgs& args, std::size_t row, std::size_t token) {
  __m256 acc[R][T];
  const std::byte* weights[R];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    weights[r] = args.weights + (row + static_cast<std::size_t>(r)) * args.row_bytes;
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[r][t] = _mm256_setzero_ps();
  }
  // Later tokens find the weights in the cache: they prefetch what they are about to read.
  const std::size_t ahead = token == 0 ? static_cast<std::size_t>(R) * args.row_bytes : 0;
  constexpr std::size_t kChunkBytes = 256 / Type::kBlockElements * Type::kBlockBytes;
  const std::size_t n_groups = args.cols / kGroup;
  std::size_t group = 0;
  for (; group + 8 <= n_groups; group += 8) {
    prefetch<kChunkBytes>(weights, ahead);
    add_chunk<Type, R, T>(args, weights, token, group, 8, acc);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) weights[r] += kChunkBytes;
  }
  if constexpr (Type::kBlockElements < 256) {
    if (group < n_groups) {
      prefetch<kChunkBytes>(weights, ahead);
      add_chunk<Type, R, T>(args, weights, token, group, n_groups - group, acc);
    }
  }
  store_sums<R, T>(args, row, token, acc);
}

template <class Type>
EDGELM_AVX2_INLINE __m256 load_tail(const std::byte* source, std::size_t count) {
  alignas(32) std::byte padded[8 * Type::kBlockBytes] = {};
  std::memcpy(padded, source, count * Type::kBlockBytes);
  return Type::Avx2::load8(padded);
}

template <class Type, int R, int T>
EDGELM_AVX2 void float_tile(const MatmulArgs& args, std::size_t row, std::size_t token) {
  __m256 acc[R][T];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) acc[r][t] = _mm256_setzero_ps();
  }
  const float* x = args.x.f32 + token * args.x.f32_stride;
  const std::byte* weights = args.weights + row * args.row_bytes;
  for (std::size_t c = 0; c < args.cols; c += 8) {
    const std::size_t count = args.cols - c < 8 ? args.cols - c : 8;
    __m256 activations[T];
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      activations[t] = load_lanes(x + static_cast<std::size_t>(t) * args.x.f32_stride + c, count);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const std::byte* at =
          weights + static_cast<std::size_t>(r) * args.row_bytes + c * Type::kBlockBytes;
      const __m256 eight = count == 8 ? Type::Avx2::load8(at) : load_tail<Type>(at, count);
#pragma GCC unroll 8
      for (int t = 0; t < T; ++t) acc[r][t] = _mm256_fmadd_ps(eight, activations[t], acc[r][t]);
    }
  }
  store_sums<R, T>(args, row, token, acc);
}

template <class Type>
struct Avx2Kernel {
  static constexpr int kDecodeRows = Type::kQuantized ? 4 : 8;
  static constexpr int kPrefillRows = Type::kQuantized ? 2 : 3;

  template <int R, int T>
  static void tile(const MatmulArgs& args, std::size_t row, std::size_t token) {
    if constexpr (Type::kQuantized) {
      quantized_tile<Type, R, T>(args, row, token);
    } else {
      float_tile<Type, R, T>(args, row, token);
    }
  }
};

struct Avx2 {
  template <class Type>
  static constexpr MatmulFn kFunction = walk_tiles<Avx2Kernel<Type>>;
};

}  // namespace

MatmulFn matmul_avx2(tensor::DType type) { return find_matmul<Avx2>(type); }

}  // namespace edgelm::kernels

#endif
