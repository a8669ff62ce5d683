#pragma once
// The CPU backend: kernels of one instruction set, run by a pool of threads.

#include <memory>
#include <string>

#include "backend/backend.h"
#include "kernels/kernels.h"
#include "threads/pool.h"

namespace edgelm::backend {

struct CpuOptions {
  std::string isa = {};               // empty: the best this processor runs
  std::uint32_t decode_threads = 0;   // 0: chosen for this machine, see default_threads()
  std::uint32_t prefill_threads = 0;  // 0: as many as there are cores
};

// Threads that decode and prefill use unless told otherwise. Measured on small boards and laptops:
// prefill scales with physical cores; decode stops at the memory's speed, which a few cores reach.
struct ThreadDefaults {
  std::uint32_t decode = 1;
  std::uint32_t prefill = 1;
};
ThreadDefaults default_threads();

class CpuBackend final : public Backend {
 public:
  static Result<std::unique_ptr<CpuBackend>> create(const CpuOptions& options);

  Result<std::unique_ptr<Executor>> compile(const plan::Plan& plan,
                                            const plan::Limits& limits) override;
  [[nodiscard]] std::string name() const override;

  [[nodiscard]] const kernels::Kernels& kernels() const { return *kernels_; }
  [[nodiscard]] std::uint32_t decode_threads() const { return decode_threads_; }
  [[nodiscard]] std::uint32_t prefill_threads() const { return prefill_threads_; }
  // Shared with measurements that want the same threads; not while an executor runs.
  [[nodiscard]] threads::ThreadPool& pool() { return pool_; }

 private:
  CpuBackend(const kernels::Kernels& kernels, std::uint32_t decode_threads,
             std::uint32_t prefill_threads);

  const kernels::Kernels* kernels_;
  std::uint32_t decode_threads_;
  std::uint32_t prefill_threads_;
  threads::ThreadPool pool_;
};

}  // namespace edgelm::backend
