#pragma once
// How the attention of a step is cut into items for the threads, and the scratch memory they use.
// Made once per executor; planned once per step, before the threads start; then only read.
//
// The tokens of a step are cut into blocks of queries of one sequence. An item is (block, KV head);
// where that gives the threads too little to share and sequences are long, an item is (block, KV
// head, span), whose partial results wait in shared memory until a barrier. Results are the same
// either way (kernels/attention/attention.h).

#include <cstdint>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu/aligned.h"
#include "kernels/attention/attention.h"
#include "plan/attention_cost.h"

namespace edgelm::backend {

class AttentionWork {
 public:
  struct QueryBlock {
    std::uint32_t first_token = 0;
    std::uint32_t n_tokens = 0;
    std::uint32_t n_positions = 0;  // that its last token sees
    std::uint32_t n_spans = 0;
    std::size_t first_token_span = 0;  // tokens x spans of the blocks before it
  };

  // Scratch of one thread.
  struct Scratch {
    float* q;
    float* tile;
    kernels::AttentionPartial span;
    kernels::AttentionPartial merged;
  };

  AttentionWork(const plan::Plan& plan, const plan::Limits& limits);

  void plan_step(const Batch& batch, std::uint32_t n_threads);

  [[nodiscard]] std::span<const QueryBlock> blocks() const { return blocks_; }
  [[nodiscard]] bool by_span() const { return by_span_; }
  [[nodiscard]] Scratch scratch(std::uint32_t thread);
  // Partial results of one block's rows for a KV head of `group` query heads and a span.
  [[nodiscard]] kernels::AttentionPartial shared(const QueryBlock& block, std::size_t kv_head,
                                                 std::size_t group, std::size_t span);

 private:
  plan::AttentionScratch sizes_;
  std::uint32_t min_kv_heads_ = 1;
  std::vector<QueryBlock> blocks_;
  bool by_span_ = false;
  AlignedArray<float> scratch_;  // (threads, floats_per_thread)
  AlignedArray<float> shared_;
};

}  // namespace edgelm::backend
