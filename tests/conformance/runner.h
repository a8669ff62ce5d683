#pragma once
// A model on one instruction set, fed batch by batch: the conformance tests choose the chunks and
// the company of each token themselves, which the engine above does not let them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "base/result.h"
#include "model/model.h"

namespace edgelm::conformance {

using LogitRows = std::vector<std::vector<float>>;

// Tokens of one sequence within a batch.
struct Part {
  std::uint32_t sequence = 0;
  std::uint32_t position = 0;  // of the first id
  std::span<const std::int32_t> ids;
};

class Runner {
 public:
  static constexpr std::uint32_t kSequences = 4;
  static constexpr std::uint32_t kBlocks = 9;  // per sequence, of 32 positions
  static constexpr std::uint32_t kBatchTokens = 256;

  static Result<std::unique_ptr<Runner>> create(std::shared_ptr<const model::Model> model,
                                                std::string_view isa, std::uint32_t n_threads);

  // The same with a plan other than the model's own, over the same weights.
  static Result<std::unique_ptr<Runner>> create(std::shared_ptr<const model::Model> model,
                                                const plan::Plan& plan, std::string_view isa,
                                                std::uint32_t n_threads);

  // One step; returns the logits of every token, in order.
  Result<LogitRows> step(const std::vector<Part>& parts);

  // All ids of sequence 0, in chunks: the last chunk size repeats. Logits of every position.
  Result<LogitRows> run(std::span<const std::int32_t> ids, std::span<const std::uint32_t> chunks);

 private:
  Runner() = default;

  std::shared_ptr<const model::Model> model_;
  std::unique_ptr<backend::CpuBackend> backend_;
  std::unique_ptr<backend::Executor> executor_;
  std::vector<std::vector<std::uint32_t>> blocks_;  // per sequence
};

// Instruction sets that run here, best first.
std::vector<std::string_view> runnable_isas();

}  // namespace edgelm::conformance
