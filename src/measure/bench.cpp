// Timed runs of an executor over seeded random ids.

#include "measure/bench.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"
#include "base/random.h"
#include "os/clock.h"
#include "os/memory.h"
#include "plan/cost.h"

namespace edgelm::measure {
namespace {

// Sequences of random ids, each with KV blocks of its own, that advance together.
class Runner {
 public:
  Runner(backend::Executor& executor, std::uint32_t n_vocab, std::uint32_t n_positions,
         std::uint32_t n_sequences)
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
  }

  // Positions [begin, end) of one sequence in steps of `batch` tokens; a prompt needs the logits of
  // its end alone.
  Status prefill(std::uint32_t sequence, std::uint32_t begin, std::uint32_t end,
                 std::uint32_t batch) {
    for (std::uint32_t at = begin; at < end; at += batch) {
      clear();
      const std::uint32_t n = std::min(batch, end - at);
      for (std::uint32_t i = 0; i < n; ++i) add(sequence, at + i);
      EDGELM_TRY(step(at + n == end ? n - 1 : n));
    }
    return {};
  }

  // The same positions of all sequences, a token of each at a time.
  Status decode(std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t at = begin; at < end; ++at) {
      clear();
      for (std::uint32_t s = 0; s < sequences_.size(); ++s) add(s, at);
      EDGELM_TRY(step(0));
    }
    return {};
  }

 private:
  void clear() {
    step_ids_.clear();
    positions_.clear();
    sequence_of_.clear();
    logit_tokens_.clear();
  }
  void add(std::uint32_t sequence, std::uint32_t position) {
    step_ids_.push_back(ids_[position]);
    positions_.push_back(position);
    sequence_of_.push_back(sequence);
  }
  // With the logits of the tokens from `first_logit` on.
  Status step(std::uint32_t first_logit) {
    for (std::uint32_t i = first_logit; i < step_ids_.size(); ++i) logit_tokens_.push_back(i);
    return executor_.run({.ids = step_ids_,
                          .positions = positions_,
                          .sequence_of = sequence_of_,
                          .sequences = sequences_,
                          .logit_tokens = logit_tokens_});
  }

  backend::Executor& executor_;
  std::vector<std::uint32_t> blocks_;
  std::vector<std::int32_t> ids_;
  std::vector<backend::SequenceView> sequences_;
  // Of one step.
  std::vector<std::int32_t> step_ids_;
  std::vector<std::uint32_t> positions_, sequence_of_, logit_tokens_;
};

}  // namespace

Result<BenchResult> bench(const std::shared_ptr<const model::Model>& model,
                          backend::CpuBackend& backend, BandwidthProbe& probe,
                          const BenchTest& test, std::uint32_t repetitions,
                          const BenchProgress& progress) {
  const std::uint32_t n_sequences = test.prefill ? 1 : std::max(test.n_sequences, 1U);
  const std::uint32_t end = test.depth + test.n_tokens;
  const std::uint32_t batch = test.prefill ? std::min(test.batch, test.n_tokens) : n_sequences;
  // The cache is filled up to `depth` in prefill steps.
  const std::uint32_t widest = std::max(batch, std::min(test.batch, test.depth));
  constexpr std::uint32_t kBlock = plan::Limits{}.kv_block_tokens;
  const plan::Limits limits{.context_tokens = n_sequences * ceil_div(end, kBlock) * kBlock,
                            .batch_tokens = widest,
                            .logit_rows = n_sequences,
                            .kv_type = test.kv_type};
  EDGELM_TRY_ASSIGN(const auto executor, backend.compile(model->plan(), limits));
  Runner runner(*executor, model->hparams().n_vocab, end, n_sequences);
  for (std::uint32_t s = 0; s < n_sequences; ++s)
    EDGELM_TRY(runner.prefill(s, 0, test.depth, widest));
  BenchResult result;
  result.test = test;
  result.threads = test.prefill ? backend.prefill_threads() : backend.decode_threads();
  std::vector<double> bandwidths;
  for (std::uint32_t repetition = 0; repetition <= repetitions; ++repetition) {
    if (progress) progress(repetition);
    const double bandwidth = probe.measure(result.threads);
    const std::int64_t start = os::now_ns();
    EDGELM_TRY(test.prefill ? runner.prefill(0, test.depth, end, batch)
                            : runner.decode(test.depth, end));
    const double seconds = os::ns_to_s(os::now_ns() - start);
    if (repetition == 0) continue;  // warm-up: page faults, clocks, caches
    bandwidths.push_back(bandwidth);
    result.tokens_per_second.push_back(n_sequences * test.n_tokens / seconds);
  }
  result.speed = stats::summarize(result.tokens_per_second);
  result.read_bytes_per_second = stats::median(bandwidths);
  const double steps = test.prefill ? ceil_div(test.n_tokens, batch) : test.n_tokens;
  result.weight_bytes_per_token = static_cast<double>(plan::decode_weight_bytes(model->plan())) *
                                  steps / (n_sequences * test.n_tokens);
  result.bytes_per_second = result.weight_bytes_per_token * result.speed.median;
  const plan::Memory& memory = executor->memory();
  const std::uint64_t resident = os::current_rss_bytes();
  result.memory = {memory.weights_bytes, memory.kv_bytes, memory.compute_bytes,
                   resident - std::min<std::uint64_t>(resident, probe.buffer_bytes())};
  return result;
}

}  // namespace edgelm::measure
