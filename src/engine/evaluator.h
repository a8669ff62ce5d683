#pragma once
// Logits of given ids at every position: what perplexity, log-likelihoods and conformance tests
// need. One sequence at a time; the next call starts from an empty cache.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "model/model.h"

namespace edgelm::engine {

class Evaluator {
 public:
  // `batch_tokens` is the chunk, and the number of logit rows held at once.
  static Result<std::unique_ptr<Evaluator>> create(std::shared_ptr<const model::Model> model,
                                                   backend::Backend& backend,
                                                   std::uint32_t context_tokens,
                                                   std::uint32_t batch_tokens,
                                                   plan::KvType kv_type = plan::KvType::kF16);

  // Runs `ids` from position 0 and calls on_logits(position, logits) for every position >= first,
  // in order. Logits at position p predict the id at p + 1.
  template <class F>
  Status run(std::span<const text::TokenId> ids, std::uint32_t first, F&& on_logits) {
    for (std::size_t begin = 0; begin < ids.size(); begin += batch_tokens_) {
      const std::size_t n = std::min<std::size_t>(batch_tokens_, ids.size() - begin);
      EDGELM_TRY(run_chunk(ids.subspan(begin, n), static_cast<std::uint32_t>(begin), first));
      for (std::uint32_t row = 0; row < logit_tokens_.size(); ++row)
        on_logits(static_cast<std::uint32_t>(begin) + logit_tokens_[row], executor_->logits(row));
    }
    return {};
  }

 private:
  Evaluator(std::shared_ptr<const model::Model> model, std::unique_ptr<backend::Executor> executor,
            std::uint32_t batch_tokens);
  Status run_chunk(std::span<const text::TokenId> ids, std::uint32_t begin, std::uint32_t first);

  std::shared_ptr<const model::Model> model_;
  std::unique_ptr<backend::Executor> executor_;
  std::uint32_t batch_tokens_;
  std::vector<std::uint32_t> blocks_, positions_, sequence_of_, logit_tokens_;
};

}  // namespace edgelm::engine
