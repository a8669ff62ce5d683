#pragma once
// The seam between models and hardware. A backend compiles a plan into an executor, which owns
// everything the plan needs at run time: prepared weights, activation buffers, the KV blocks. The
// engine above decides which tokens run and which KV blocks they use; it never sees arithmetic.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "plan/cost.h"
#include "plan/plan.h"

namespace edgelm::backend {

// One sequence of a batch: its KV blocks in order of position.
struct SequenceView {
  std::span<const std::uint32_t> blocks;  // ids below Limits' block count; not owned
};

// The tokens of one step. Tokens of one sequence stand together, in ascending positions, and
// continue what is in its KV blocks. All spans have n_tokens elements except where noted.
struct Batch {
  std::span<const std::int32_t> ids;
  std::span<const std::uint32_t> positions;
  std::span<const std::uint32_t> sequence_of;   // index into `sequences`
  std::span<const SequenceView> sequences;      // <= logit_rows
  std::span<const std::uint32_t> logit_tokens;  // whose logits are wanted: indices, ascending
};

// Runs one compiled plan. One call at a time; allocates nothing after construction.
class Executor {
 public:
  virtual ~Executor() = default;

  // kLimit / kInternal when the batch breaks the limits it was compiled for; nothing has run then.
  virtual Status run(const Batch& batch) = 0;

  // Logits of the `row`-th entry of the last batch's logit_tokens; valid until the next run.
  [[nodiscard]] virtual std::span<const float> logits(std::uint32_t row) const = 0;

  [[nodiscard]] virtual const plan::Limits& limits() const = 0;
  [[nodiscard]] virtual std::uint32_t n_kv_blocks() const = 0;
  [[nodiscard]] virtual const plan::Memory& memory() const = 0;  // as allocated
};

class Backend {
 public:
  virtual ~Backend() = default;
  // The plan's weights must outlive the executor. kMemory when the limits do not fit.
  virtual Result<std::unique_ptr<Executor>> compile(const plan::Plan& plan,
                                                    const plan::Limits& limits) = 0;
  [[nodiscard]] virtual std::string name() const = 0;  // "cpu avx2, 2 threads"
};

}  // namespace edgelm::backend
