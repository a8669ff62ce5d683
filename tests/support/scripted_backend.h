#pragma once
// A backend without arithmetic: it remembers in its "KV blocks" the ids it was fed, and the next
// token is a hash of the whole sequence as its blocks tell it. So a wrong block, position or order
// anywhere above changes the tokens, and tests of the engine need no model that computes.

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "backend/backend.h"
#include "base/random.h"

namespace edgelm::test {

// The token that follows `ids` under the script: never below 3 (specials), below n_vocab.
inline std::int32_t scripted_next(const std::vector<std::int32_t>& ids, std::uint32_t n_vocab) {
  std::uint64_t hash = ids.size();
  for (const std::int32_t id : ids) hash = mix64(hash * 31 + static_cast<std::uint64_t>(id));
  return static_cast<std::int32_t>(3 + hash % (n_vocab - 3));
}

class ScriptedExecutor final : public backend::Executor {
 public:
  // `force_next`: the token after sequences of this many ids, instead of the hash.
  ScriptedExecutor(const plan::Plan& plan, const plan::Limits& limits,
                   const std::map<std::size_t, std::int32_t>& force_next)
      : n_vocab_(plan.n_vocab),
        limits_(limits),
        force_next_(force_next),
        n_blocks_((limits.context_tokens + limits.kv_block_tokens - 1) / limits.kv_block_tokens) {
    cells_.assign(std::size_t{n_blocks_} * limits.kv_block_tokens, -1);
    logits_.assign(std::size_t{limits.logit_rows} * n_vocab_, 0.0F);
    sequence_.reserve(cells_.size());
  }

  Status run(const backend::Batch& batch) override {
    if (fail_next) return fail(ErrorCode::kInternal, "scripted failure");
    ++steps;
    largest_batch = std::max(largest_batch, batch.ids.size());
    for (std::size_t i = 0; i < batch.ids.size(); ++i)
      cell(batch, i, batch.positions[i]) = batch.ids[i];
    for (std::size_t row = 0; row < batch.logit_tokens.size(); ++row) {
      const std::uint32_t token = batch.logit_tokens[row];
      sequence_.clear();
      for (std::uint32_t p = 0; p <= batch.positions[token]; ++p)
        sequence_.push_back(cell(batch, token, p));
      float* logits = logits_.data() + row * n_vocab_;
      std::fill(logits, logits + n_vocab_, 0.0F);
      const auto forced = force_next_.find(sequence_.size());
      logits[forced != force_next_.end() ? forced->second : scripted_next(sequence_, n_vocab_)] = 9;
      if (no_numbers) std::fill(logits, logits + n_vocab_, std::numeric_limits<float>::quiet_NaN());
    }
    return {};
  }
  [[nodiscard]] std::span<const float> logits(std::uint32_t row) const override {
    return {logits_.data() + std::size_t{row} * n_vocab_, n_vocab_};
  }
  [[nodiscard]] const plan::Limits& limits() const override { return limits_; }
  [[nodiscard]] std::uint32_t n_kv_blocks() const override { return n_blocks_; }
  [[nodiscard]] const plan::Memory& memory() const override { return memory_; }

  bool fail_next = false;
  bool no_numbers = false;  // logits are NaN
  std::size_t steps = 0;
  std::size_t largest_batch = 0;

 private:
  std::int32_t& cell(const backend::Batch& batch, std::size_t token, std::uint32_t position) {
    const auto& blocks = batch.sequences[batch.sequence_of[token]].blocks;
    return cells_[std::size_t{blocks[position / limits_.kv_block_tokens]} *
                      limits_.kv_block_tokens +
                  position % limits_.kv_block_tokens];
  }

  std::uint32_t n_vocab_;
  plan::Limits limits_;
  std::map<std::size_t, std::int32_t> force_next_;
  std::uint32_t n_blocks_;
  plan::Memory memory_;
  std::vector<std::int32_t> cells_;
  std::vector<float> logits_;
  std::vector<std::int32_t> sequence_;
};

class ScriptedBackend final : public backend::Backend {
 public:
  Result<std::unique_ptr<backend::Executor>> compile(const plan::Plan& plan,
                                                     const plan::Limits& limits) override {
    auto executor = std::make_unique<ScriptedExecutor>(plan, limits, force_next);
    last = executor.get();
    return executor;
  }
  [[nodiscard]] std::string name() const override { return "scripted"; }

  std::map<std::size_t, std::int32_t> force_next;
  ScriptedExecutor* last = nullptr;  // the executor compiled last
};

}  // namespace edgelm::test
