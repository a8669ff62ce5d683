#pragma once
// Writes keys and values of consecutive positions into a block of the cache, in the layout of
// kv_head.h. f16 rounds to nearest even; q8_0 quantizes 32 dims of a position with one f16 scale.
// Numbers beyond +-65504, infinities too, become +-65504, so that no infinity enters the cache
// (infinity minus infinity would turn a whole sequence into NaN); NaN stays NaN.

#include <cstddef>

#include "kernels/attention/kv_head.h"
#include "kernels/kernels.h"

namespace edgelm::kernels {

constexpr std::size_t kKvStoreTokens = 32;  // most positions of one call: whole lines of keys

struct KvStoreArgs {
  std::byte* head = nullptr;  // of the block: its base plus KvHead::offset
  KvLayout layout;
  std::size_t block_tokens = 0;
  std::size_t slot = 0;      // of the first position in the block
  std::size_t n_tokens = 0;  // at most kKvStoreTokens, slot + n_tokens <= block_tokens
  std::size_t k_dim = 0;     // at most 512
  std::size_t v_dim = 0;
  const float* k = nullptr;  // (n_tokens, k_dim), rows k_stride floats apart
  std::size_t k_stride = 0;
  const float* v = nullptr;
  std::size_t v_stride = 0;
};

void store_kv_f16(const Kernels& kernels, const KvStoreArgs& args);
void store_kv_q8_0(const Kernels& kernels, const KvStoreArgs& args);

}  // namespace edgelm::kernels
