// Batches of given ids.

#include "measure/token_runner.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"
#include "os/clock.h"

namespace edgelm::measure {

TokenRunner::TokenRunner(backend::Executor& executor, std::uint32_t n_vocab,
                         std::uint32_t n_positions, std::uint32_t n_sequences)
    : executor_(executor), blocks_(executor.n_kv_blocks()) {
  std::iota(blocks_.begin(), blocks_.end(), 0U);
  const std::size_t share = blocks_.size() / n_sequences;
  Random random(1);
  ids_.reserve(n_positions);
  for (std::uint32_t i = 0; i < n_positions; ++i)
    ids_.push_back(static_cast<std::int32_t>(random.below(n_vocab)));
  sequences_.reserve(n_sequences);
  for (std::uint32_t s = 0; s < n_sequences; ++s)
    sequences_.push_back({std::span(blocks_).subspan(s * share, share)});
  const std::size_t widest =
      std::max<std::size_t>(executor.limits().batch_tokens, executor.limits().logit_rows);
  step_ids_.reserve(widest);
  positions_.reserve(widest);
  sequence_of_.reserve(widest);
  logit_tokens_.reserve(widest);
}

void TokenRunner::set_ids(std::uint32_t at, std::span<const std::int32_t> ids) {
  for (std::size_t i = 0; i < ids.size() && at + i < ids_.size(); ++i) ids_[at + i] = ids[i];
}

Status TokenRunner::prefill(std::uint32_t sequence, std::uint32_t begin, std::uint32_t end,
                            std::uint32_t batch) {
  for (std::uint32_t at = begin; at < end; at += batch) {
    clear();
    const std::uint32_t n = std::min(batch, end - at);
    for (std::uint32_t i = 0; i < n; ++i) add(sequence, at + i);
    EDGELM_TRY(step(at + n == end ? n - 1 : n));
  }
  return {};
}

Status TokenRunner::decode(std::uint32_t begin, std::uint32_t end,
                           std::vector<std::int64_t>& step_ns) {
  std::int64_t last = os::now_ns();
  for (std::uint32_t at = begin; at < end; ++at) {
    clear();
    for (std::uint32_t s = 0; s < sequences_.size(); ++s) add(s, at);
    EDGELM_TRY(step(0));
    const std::int64_t now = os::now_ns();
    step_ns.push_back(now - last);
    last = now;
  }
  return {};
}

void TokenRunner::clear() {
  step_ids_.clear();
  positions_.clear();
  sequence_of_.clear();
  logit_tokens_.clear();
}

void TokenRunner::add(std::uint32_t sequence, std::uint32_t position) {
  step_ids_.push_back(ids_[position]);
  positions_.push_back(position);
  sequence_of_.push_back(sequence);
}

Status TokenRunner::step(std::uint32_t first_logit) {
  for (std::uint32_t i = first_logit; i < step_ids_.size(); ++i) logit_tokens_.push_back(i);
  return executor_.run({.ids = step_ids_,
                        .positions = positions_,
                        .sequence_of = sequence_of_,
                        .sequences = sequences_,
                        .logit_tokens = logit_tokens_});
}

}  // namespace edgelm::measure
