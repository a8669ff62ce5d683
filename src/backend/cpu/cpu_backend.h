#pragma once
// The CPU backend: kernels of one instruction set, run by a pool of threads.

#include <functional>
#include <memory>
#include <string>

#include "backend/backend.h"
#include "backend/cpu/packed_weights.h"
#include "backend/cpu/thread_tuner.h"
#include "kernels/kernels.h"
#include "threads/pool.h"

namespace edgelm::backend {

struct CpuOptions {
  std::string isa = {};               // empty: the best this processor runs
  std::uint32_t decode_threads = 0;   // 0: found by measuring the first steps (thread_tuner.h)
  std::uint32_t prefill_threads = 0;  // 0: decode_threads, or as many as there are cores
  bool repack = true;                 // false: use weights as they lie in the file
  bool cache = true;                  // keep packed weights on disk (cache/weight_cache.h)
  std::function<void(const std::string&)> notice = {};  // what the cache has to say; any thread
};

class CpuBackend final : public Backend {
 public:
  static Result<std::unique_ptr<CpuBackend>> create(const CpuOptions& options);

  Result<std::unique_ptr<Executor>> compile(const plan::Plan& plan,
                                            const plan::Limits& limits) override;
  [[nodiscard]] std::string name() const override;

  [[nodiscard]] const kernels::Kernels& kernels() const { return *kernels_; }
  // For the next decode step; changes while the number is still being measured.
  [[nodiscard]] std::uint32_t decode_threads() const { return decode_threads_.threads(); }
  void record_decode_step(std::int64_t step_ns) { decode_threads_.record(step_ns); }
  [[nodiscard]] std::uint32_t prefill_threads() const { return prefill_threads_; }
  // Of the plan compiled last: nullptr where nothing is packed.
  [[nodiscard]] PackedWeights* packed_weights() const { return packed_.get(); }
  // Shared with measurements that want the same threads; not while an executor runs.
  [[nodiscard]] threads::ThreadPool& pool() { return pool_; }

 private:
  CpuBackend(const kernels::Kernels& kernels, ThreadTuner decode_threads, const CpuOptions& options,
             std::uint32_t prefill_threads);
  Status pack(const plan::Plan& plan, const plan::Memory& need);

  const kernels::Kernels* kernels_;
  CpuOptions options_;
  ThreadTuner decode_threads_;
  std::uint32_t prefill_threads_;
  threads::ThreadPool pool_;
  // Of the last plan: a benchmark compiles one plan many times.
  std::uint64_t packed_plan_ = 0;
  std::shared_ptr<PackedWeights> packed_;
};

}  // namespace edgelm::backend
