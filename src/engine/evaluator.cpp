// One sequence that owns all KV blocks.

#include "engine/evaluator.h"

#include <algorithm>
#include <numeric>

namespace edgelm::engine {

Result<std::unique_ptr<Evaluator>> Evaluator::create(std::shared_ptr<const model::Model> model,
                                                     backend::Backend& backend,
                                                     std::uint32_t context_tokens,
                                                     std::uint32_t batch_tokens,
                                                     plan::KvType kv_type) {
  if (context_tokens == 0 || batch_tokens == 0)
    return fail(ErrorCode::kUsage, "context and batch must be positive");
  batch_tokens = std::min(batch_tokens, context_tokens);
  const plan::Limits limits{.context_tokens = context_tokens,
                            .batch_tokens = batch_tokens,
                            .logit_rows = batch_tokens,
                            .kv_type = kv_type};
  EDGELM_TRY_ASSIGN(auto executor, backend.compile(model->plan(), limits));
  return std::unique_ptr<Evaluator>(
      new Evaluator(std::move(model), std::move(executor), batch_tokens));
}

Evaluator::Evaluator(std::shared_ptr<const model::Model> model,
                     std::unique_ptr<backend::Executor> executor, std::uint32_t batch_tokens)
    : model_(std::move(model)),
      executor_(std::move(executor)),
      batch_tokens_(batch_tokens),
      blocks_(executor_->n_kv_blocks()) {
  std::iota(blocks_.begin(), blocks_.end(), 0U);
}

Status Evaluator::run_part(std::span<const text::TokenId> ids, std::uint32_t begin,
                           std::uint32_t first) {
  positions_.resize(ids.size());
  std::iota(positions_.begin(), positions_.end(), begin);
  sequence_of_.assign(ids.size(), 0);
  logit_tokens_.clear();
  for (std::uint32_t i = 0; i < ids.size(); ++i)
    if (begin + i >= first) logit_tokens_.push_back(i);
  const backend::SequenceView sequence{blocks_};
  return executor_->run({.ids = ids,
                         .positions = positions_,
                         .sequence_of = sequence_of_,
                         .sequences = {&sequence, 1},
                         .logit_tokens = logit_tokens_});
}

}  // namespace edgelm::engine
