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
  //
  // With run_part the caller goes through `ids` itself, at most batch_tokens() at a time, so that
  // two models can go side by side: after it, row r of logits() is that of token_of_row(r).
  template <class F>
  Status run(std::span<const text::TokenId> ids, std::uint32_t first, F&& on_logits) {
    for (std::size_t begin = 0; begin < ids.size(); begin += batch_tokens_) {
      const std::size_t n = std::min<std::size_t>(batch_tokens_, ids.size() - begin);
      EDGELM_TRY(run_part(ids.subspan(begin, n), static_cast<std::uint32_t>(begin), first));
      for (std::uint32_t row = 0; row < logit_tokens_.size(); ++row)
        on_logits(static_cast<std::uint32_t>(begin) + logit_tokens_[row], executor_->logits(row));
    }
    return {};
  }

  Status run_part(std::span<const text::TokenId> ids, std::uint32_t begin, std::uint32_t first);
  [[nodiscard]] std::size_t n_rows() const { return logit_tokens_.size(); }
  // Index into the part's ids.
  [[nodiscard]] std::uint32_t token_of_row(std::size_t row) const { return logit_tokens_[row]; }
  [[nodiscard]] std::span<const float> logits(std::size_t row) const {
    return executor_->logits(static_cast<std::uint32_t>(row));
  }
  [[nodiscard]] std::uint32_t batch_tokens() const { return batch_tokens_; }

 private:
  Evaluator(std::shared_ptr<const model::Model> model, std::unique_ptr<backend::Executor> executor,
            std::uint32_t batch_tokens);

  std::shared_ptr<const model::Model> model_;
  std::unique_ptr<backend::Executor> executor_;
  std::uint32_t batch_tokens_;
  std::vector<std::uint32_t> blocks_, positions_, sequence_of_, logit_tokens_;
};

}  // namespace edgelm::engine
