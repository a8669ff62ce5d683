// Choice of kernels and threads; checks that a plan fits before anything is allocated.

#include "backend/cpu/cpu_backend.h"

#include <algorithm>
#include <new>

#include "backend/cpu/cpu_executor.h"
#include "os/cpu.h"
#include "os/memory.h"

namespace edgelm::backend {
namespace {

constexpr std::uint32_t kMaxThreads = 256;

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

}  // namespace

ThreadDefaults default_threads() {
  const auto cores = static_cast<std::uint32_t>(os::usable_cores());
  return {.decode = cores, .prefill = cores};
}

CpuBackend::CpuBackend(const kernels::Kernels& kernels, std::uint32_t decode_threads,
                       std::uint32_t prefill_threads)
    : kernels_(&kernels),
      decode_threads_(decode_threads),
      prefill_threads_(prefill_threads),
      pool_(std::max(decode_threads, prefill_threads)) {}

Result<std::unique_ptr<CpuBackend>> CpuBackend::create(const CpuOptions& options) {
  EDGELM_TRY_ASSIGN(const kernels::Kernels* kernels, kernels::select_kernels(options.isa));
  const ThreadDefaults defaults = default_threads();
  const std::uint32_t decode =
      options.decode_threads != 0 ? options.decode_threads : defaults.decode;
  const std::uint32_t prefill = options.prefill_threads != 0
                                    ? options.prefill_threads
                                    : (options.decode_threads != 0 ? decode : defaults.prefill);
  if (std::max(decode, prefill) > kMaxThreads)
    return fail(ErrorCode::kUsage, "{} threads asked for, at most {} are supported",
                std::max(decode, prefill), kMaxThreads);
  return std::unique_ptr<CpuBackend>(new CpuBackend(*kernels, decode, prefill));
}

std::string CpuBackend::name() const {
  return decode_threads_ == prefill_threads_
             ? fmt::format("cpu {}, {} threads", kernels_->name, decode_threads_)
             : fmt::format("cpu {}, {} threads (prefill {})", kernels_->name, decode_threads_,
                           prefill_threads_);
}

Result<std::unique_ptr<Executor>> CpuBackend::compile(const plan::Plan& plan,
                                                      const plan::Limits& limits) {
  plan::Limits full = limits;
  full.n_threads = pool_.size();
  const plan::Memory need = plan::memory(plan, full);
  const std::uint64_t available = os::available_memory_bytes();
  if (available != 0 && need.kv_bytes + need.compute_bytes > available)
    return fail(ErrorCode::kMemory,
                "not enough memory: the KV cache for {} tokens needs {:.0f} MiB and activations "
                "{:.0f} MiB, {:.0f} MiB are available; try a smaller context (-c)",
                full.context_tokens, mebibytes(need.kv_bytes), mebibytes(need.compute_bytes),
                mebibytes(available));
  try {
    return std::unique_ptr<Executor>(new CpuExecutor(*this, plan, full, need));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kMemory,
                "not enough memory for a context of {} tokens ({:.0f} MiB); try a smaller one (-c)",
                full.context_tokens, mebibytes(need.kv_bytes + need.compute_bytes));
  }
}

}  // namespace edgelm::backend
