// Batches made by hand for the backend's executor.
#include "runner.h"

#include <algorithm>

#include "kernels/kernels.h"

namespace edgelm::conformance {

Result<std::unique_ptr<Runner>> Runner::create(std::shared_ptr<const model::Model> model,
                                               std::string_view isa, std::uint32_t n_threads) {
  const plan::Plan& plan = model->plan();
  return create(std::move(model), plan, isa, n_threads);
}

Result<std::unique_ptr<Runner>> Runner::create(std::shared_ptr<const model::Model> model,
                                               const plan::Plan& plan, std::string_view isa,
                                               std::uint32_t n_threads) {
  std::unique_ptr<Runner> runner(new Runner);
  EDGELM_TRY_ASSIGN(runner->backend_, backend::CpuBackend::create({.isa = std::string(isa),
                                                                   .decode_threads = n_threads,
                                                                   .prefill_threads = n_threads}));
  constexpr plan::Limits kLimits{.context_tokens = kSequences * kBlocks * 32,
                                 .batch_tokens = kBatchTokens,
                                 .logit_rows = kBatchTokens};
  EDGELM_TRY_ASSIGN(runner->executor_, runner->backend_->compile(plan, kLimits));
  runner->model_ = std::move(model);
  // Interleaved and descending, so that no sequence has its blocks in the order of memory.
  for (std::uint32_t s = 0; s < kSequences; ++s) {
    std::vector<std::uint32_t>& blocks = runner->blocks_.emplace_back();
    for (std::uint32_t b = 0; b < kBlocks; ++b)
      blocks.push_back((kBlocks - 1 - b) * kSequences + s);
  }
  return runner;
}

Result<LogitRows> Runner::step(const std::vector<Part>& parts) {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> positions;
  std::vector<std::uint32_t> sequence_of;
  std::vector<std::uint32_t> logit_tokens;
  std::vector<backend::SequenceView> sequences;
  for (const Part& part : parts) {
    for (std::uint32_t i = 0; i < part.ids.size(); ++i) {
      logit_tokens.push_back(static_cast<std::uint32_t>(ids.size()));
      ids.push_back(part.ids[i]);
      positions.push_back(part.position + i);
      sequence_of.push_back(static_cast<std::uint32_t>(sequences.size()));
    }
    sequences.push_back({blocks_[part.sequence]});
  }
  EDGELM_TRY(executor_->run({.ids = ids,
                             .positions = positions,
                             .sequence_of = sequence_of,
                             .sequences = sequences,
                             .logit_tokens = logit_tokens}));
  LogitRows rows;
  for (std::uint32_t row = 0; row < ids.size(); ++row) {
    const std::span<const float> logits = executor_->logits(row);
    rows.emplace_back(logits.begin(), logits.end());
  }
  return rows;
}

Result<LogitRows> Runner::run(std::span<const std::int32_t> ids,
                              std::span<const std::uint32_t> chunks) {
  LogitRows rows;
  std::size_t next_chunk = 0;
  for (std::size_t begin = 0; begin < ids.size();) {
    const std::size_t n = std::min<std::size_t>(chunks[next_chunk], ids.size() - begin);
    EDGELM_TRY_ASSIGN(LogitRows chunk,
                      step({{0, static_cast<std::uint32_t>(begin), ids.subspan(begin, n)}}));
    for (std::vector<float>& row : chunk) rows.push_back(std::move(row));
    begin += n;
    next_chunk = std::min(next_chunk + 1, chunks.size() - 1);
  }
  return rows;
}

std::vector<std::string_view> runnable_isas() {
  std::vector<std::string_view> names;
  for (const kernels::Kernels* set : kernels::all_kernels())
    if (kernels::runs_here(*set)) names.push_back(set->name);
  return names;
}

}  // namespace edgelm::conformance
