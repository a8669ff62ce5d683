#pragma once
// Contract of the attention family: rows of queries attend to one KV head of one sequence,
// softmax(q K^T) V in float32 (Vaswani et al. 2017; grouped queries: Ainslie et al. 2023). A row is
// one query head at one token; rows of a token stand together and see the same positions.
//
// Positions are worked on in spans of kAttentionSpan, so that a long sequence can be shared by
// several threads. One call covers one span and leaves a partial result per row; merge_partials()
// and finish_rows() turn the partials of all spans, in order, into attention (Milakov and
// Gimelshein 2018; Dao et al. 2022). The bits of a row depend only on its query, the keys and
// values it sees and the dims: not on the other rows of a call, block_tokens, or who computes what.
//
// Keys and values lie as kv_head.h says. Positions beyond a row's own do not reach its result,
// whatever they hold. Over-read: none outside the blocks named by positions below `end`. Alignment:
// q, scratch and results none. Head dims: any multiple of 4 up to 512; multiples of 32 for q8_0.

#include <cstddef>
#include <cstdint>

#include "base/target.h"
#include "kernels/attention/kv_head.h"

namespace edgelm::kernels {

constexpr std::size_t kAttentionSpan = 512;
constexpr std::size_t kAttentionTile = 64;   // positions converted to float32 at once
constexpr std::size_t kAttentionPanel = 16;  // columns of one panel of converted keys or values

// Floats between two rows of unnormalised output.
constexpr std::size_t attention_out_stride(std::size_t v_dim) {
  return (v_dim + kAttentionPanel - 1) / kAttentionPanel * kAttentionPanel;
}

// Per row: the largest score, the sum of exp(score - max), and that sum weighted by the values.
// A row that sees nothing of a span has max -FLT_MAX, sum 0 and output 0.
struct AttentionPartial {
  float* max = nullptr;  // (n_rows)
  float* sum = nullptr;  // (n_rows)
  float* out = nullptr;  // (n_rows, attention_out_stride(v_dim)); the padding is scratch
};

struct AttentionArgs {
  KvHead kv;
  const float* q = nullptr;  // (n_rows, k_dim), already times the softmax scale
  std::size_t n_rows = 0;
  std::size_t rows_per_token = 1;
  // Of each token, ascending: its rows see positions [0, position]. (n_rows / rows_per_token)
  const std::uint32_t* positions = nullptr;
  // The part of one span: begin a multiple of kAttentionSpan, end at most begin + kAttentionSpan,
  // at least begin + 1 and at most the last position + 1.
  std::size_t begin = 0;
  std::size_t end = 0;
  float* scratch = nullptr;  // attention_scratch_floats(k_dim, v_dim, n_rows)
  AttentionPartial partial;
};

// Keys or values of one tile.
constexpr std::size_t attention_panel_floats(std::size_t k_dim, std::size_t v_dim) {
  const std::size_t keys = kAttentionTile * k_dim;
  const std::size_t values = (kAttentionTile + 1) * attention_out_stride(v_dim);
  return keys > values ? keys : values;
}

// And scores of one tile, one factor and eight partial sums per row.
constexpr std::size_t attention_scratch_floats(std::size_t k_dim, std::size_t v_dim,
                                               std::size_t n_rows) {
  return attention_panel_floats(k_dim, v_dim) + n_rows * (kAttentionTile + 1 + 8);
}

using AttentionFn = void (*)(const AttentionArgs& args);

void attention_f16_scalar(const AttentionArgs& args);
void attention_q8_0_scalar(const AttentionArgs& args);
#ifdef EDGELM_X86
void attention_f16_avx2(const AttentionArgs& args);
void attention_q8_0_avx2(const AttentionArgs& args);
void attention_f16_avx512(const AttentionArgs& args);
void attention_q8_0_avx512(const AttentionArgs& args);
#endif
#ifdef EDGELM_ARM
void attention_f16_neon(const AttentionArgs& args);
void attention_q8_0_neon(const AttentionArgs& args);
#endif

// Merges the partial of the next span into what the spans before it gave. Merging into a row that
// has seen nothing is exact, and so is merging one that saw nothing.
void merge_partials(std::size_t n_rows, std::size_t v_dim, const AttentionPartial& next,
                    const AttentionPartial& merged);

// out (v_dim) = row of `partial`, normalised.
void finish_row(const AttentionPartial& partial, std::size_t row, std::size_t v_dim, float* out);

}  // namespace edgelm::kernels
