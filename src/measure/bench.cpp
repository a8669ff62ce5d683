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

// One sequence that is filled from position 0 in steps of `batch` tokens.
class Runner {
 public:
  Runner(backend::Executor& executor, std::uint32_t n_vocab, std::uint32_t n_tokens)
      : executor_(executor), blocks_(executor.n_kv_blocks()), positions_(n_tokens) {
    std::iota(blocks_.begin(), blocks_.end(), 0U);
    std::iota(positions_.begin(), positions_.end(), 0U);
    Random random(1);
    for (std::uint32_t i = 0; i < n_tokens; ++i)
      ids_.push_back(static_cast<std::int32_t>(random.below(n_vocab)));
    sequence_of_.assign(n_tokens, 0);
  }

  Status run(std::uint32_t batch) {
    const backend::SequenceView sequence{blocks_};
    for (std::size_t begin = 0; begin < ids_.size(); begin += batch) {
      const std::size_t n = std::min<std::size_t>(batch, ids_.size() - begin);
      const auto last = static_cast<std::uint32_t>(n - 1);
      // A prompt needs the logits of its end, a decoded token its own.
      const std::size_t n_logits = begin + n == ids_.size() || batch == 1 ? 1 : 0;
      EDGELM_TRY(executor_.run({.ids = std::span(ids_).subspan(begin, n),
                                .positions = std::span(positions_).subspan(begin, n),
                                .sequence_of = std::span(sequence_of_).first(n),
                                .sequences = {&sequence, 1},
                                .logit_tokens = {&last, n_logits}}));
    }
    return {};
  }

 private:
  backend::Executor& executor_;
  std::vector<std::uint32_t> blocks_, positions_, sequence_of_;
  std::vector<std::int32_t> ids_;
};

}  // namespace

Result<BenchResult> bench(const std::shared_ptr<const model::Model>& model,
                          backend::CpuBackend& backend, BandwidthProbe& probe,
                          const BenchTest& test, std::uint32_t repetitions,
                          const BenchProgress& progress) {
  const std::uint32_t batch = test.prefill ? std::min(test.batch, test.n_tokens) : 1;
  const plan::Limits limits{.context_tokens = test.n_tokens,
                            .batch_tokens = batch,
                            .logit_rows = 1,
                            .kv_type = test.kv_type};
  EDGELM_TRY_ASSIGN(const auto executor, backend.compile(model->plan(), limits));
  Runner runner(*executor, model->hparams().n_vocab, test.n_tokens);
  BenchResult result;
  result.test = test;
  result.threads = test.prefill ? backend.prefill_threads() : backend.decode_threads();
  std::vector<double> bandwidths;
  for (std::uint32_t repetition = 0; repetition <= repetitions; ++repetition) {
    if (progress) progress(repetition);
    const double bandwidth = probe.measure(result.threads);
    const std::int64_t start = os::now_ns();
    EDGELM_TRY(runner.run(batch));
    const double seconds = os::ns_to_s(os::now_ns() - start);
    if (repetition == 0) continue;  // warm-up: page faults, clocks, caches
    bandwidths.push_back(bandwidth);
    result.tokens_per_second.push_back(test.n_tokens / seconds);
  }
  result.speed = stats::summarize(result.tokens_per_second);
  result.read_bytes_per_second = stats::median(bandwidths);
  const double steps = test.prefill ? ceil_div(test.n_tokens, batch) : test.n_tokens;
  result.weight_bytes_per_token =
      static_cast<double>(plan::decode_weight_bytes(model->plan())) * steps / test.n_tokens;
  result.bytes_per_second = result.weight_bytes_per_token * result.speed.median;
  const plan::Memory& memory = executor->memory();
  const std::uint64_t resident = os::current_rss_bytes();
  result.memory = {memory.weights_bytes, memory.kv_bytes, memory.compute_bytes,
                   resident - std::min<std::uint64_t>(resident, probe.buffer_bytes())};
  return result;
}

}  // namespace edgelm::measure
