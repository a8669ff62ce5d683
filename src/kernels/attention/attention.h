#pragma once
// Contract of the attention family: for one token, all query heads that share one KV head attend to
// positions [0, n_positions) of their sequence. softmax(scale * q K^T) V, float32 arithmetic over
// keys and values stored in f16. (Vaswani et al. 2017; grouped queries: Ainslie et al. 2023.)
//
// Keys and values lie in blocks of `block_tokens` positions. Inside a block, for one layer and KV
// head: K is (block_tokens, k_dim), V is (block_tokens, v_dim), both f16 row-major, at the given
// element offsets from the block's base. For one head the order of float operations depends only on
// n_positions and the dims, so results do not depend on block_tokens, on how many heads a call has,
// on chunking or on who computes which head.
//
// Over-read: none beyond n_positions. Alignment: none. Head dims: any multiple of 4 up to 512.
// After the call scores hold the unnormalised weights; the padding behind n_positions is scratch
// too.

#include <cstddef>
#include <cstdint>

#include "base/target.h"

namespace edgelm::kernels {

struct AttentionArgs {
  const float* q = nullptr;  // (n_heads, k_dim), row stride = k_dim
  std::size_t n_heads = 0;
  std::size_t k_dim = 0;
  std::size_t v_dim = 0;
  const std::uint16_t* const* blocks = nullptr;  // ceil(n_positions / block_tokens) base pointers
  std::size_t k_offset = 0;                      // elements from a block's base to this K tile
  std::size_t v_offset = 0;
  std::size_t block_tokens = 0;
  std::size_t n_positions = 0;  // >= 1
  float scale = 1;
  float* scores = nullptr;       // scratch: n_heads * score_stride floats
  std::size_t score_stride = 0;  // >= n_positions rounded up to 16
  float* out = nullptr;          // (n_heads, v_dim), row stride = v_dim
};

using AttentionFn = void (*)(const AttentionArgs& args);

void attention_scalar(const AttentionArgs& args);
#ifdef EDGELM_X86
void attention_avx2(const AttentionArgs& args);
#endif
#ifdef EDGELM_ARM
void attention_neon(const AttentionArgs& args);
#endif

}  // namespace edgelm::kernels
