#pragma once
// Drives an executor over given ids: fills the cache, prefills, decodes. No sampling, no text.
// Shared by the phases of a cell; each run starts from the same positions, and what it writes into
// the cache is what the run before it wrote there, so nothing has to be restored in between.

#include <cstdint>
#include <span>
#include <vector>

#include "backend/backend.h"

namespace edgelm::measure {

class TokenRunner {
 public:
  // Sequences of seeded random ids, each with KV blocks of its own, that advance together.
  // `executor` must outlive this and have blocks for n_sequences * n_positions.
  TokenRunner(backend::Executor& executor, std::uint32_t n_vocab, std::uint32_t n_positions,
              std::uint32_t n_sequences);

  // Replaces the ids from position `at` on, as far as there are positions.
  void set_ids(std::uint32_t at, std::span<const std::int32_t> ids);

  // Positions [begin, end) of one sequence in steps of `batch` tokens; the logits of the last token
  // alone are computed.
  Status prefill(std::uint32_t sequence, std::uint32_t begin, std::uint32_t end,
                 std::uint32_t batch);

  // The same positions of all sequences, a token of each at a time. Adds to `step_ns`, which must
  // have room, how long each step took.
  Status decode(std::uint32_t begin, std::uint32_t end, std::vector<std::int64_t>& step_ns);

  [[nodiscard]] backend::Executor& executor() { return executor_; }

 private:
  void clear();
  void add(std::uint32_t sequence, std::uint32_t position);
  Status step(std::uint32_t first_logit);  // with the logits of the tokens from there on

  backend::Executor& executor_;
  std::vector<std::uint32_t> blocks_;
  std::vector<std::int32_t> ids_;
  std::vector<backend::SequenceView> sequences_;
  // Of one step.
  std::vector<std::int32_t> step_ids_;
  std::vector<std::uint32_t> positions_, sequence_of_, logit_tokens_;
};

}  // namespace edgelm::measure
