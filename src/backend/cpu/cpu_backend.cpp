// Choice of kernels and threads; checks that a plan fits before anything is allocated.

#include "backend/cpu/cpu_backend.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "backend/cpu/cpu_executor.h"
#include "os/cpu.h"
#include "os/memory.h"

namespace edgelm::backend {
namespace {

constexpr std::uint32_t kMaxThreads = 256;

double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); }

}  // namespace

CpuBackend::CpuBackend(const kernels::Kernels& kernels, ThreadTuner decode_threads,
                       const CpuOptions& options, std::uint32_t prefill_threads)
    : kernels_(&kernels),
      options_(options),
      decode_threads_(std::move(decode_threads)),
      prefill_threads_(prefill_threads),
      pool_(std::max(decode_threads_.threads(), prefill_threads)) {}

Result<std::unique_ptr<CpuBackend>> CpuBackend::create(const CpuOptions& options) {
  EDGELM_TRY_ASSIGN(const kernels::Kernels* kernels, kernels::select_kernels(options.isa));
  const std::uint32_t cores = std::min(static_cast<std::uint32_t>(os::usable_cores()), kMaxThreads);
  const bool measured = options.decode_threads == 0;
  const std::uint32_t decode = measured ? cores : options.decode_threads;
  const std::uint32_t prefill = options.prefill_threads != 0 ? options.prefill_threads : decode;
  if (std::max(decode, prefill) > kMaxThreads)
    return fail(ErrorCode::kUsage, "{} threads asked for, at most {} are supported",
                std::max(decode, prefill), kMaxThreads);
  try {
    return std::unique_ptr<CpuBackend>(new CpuBackend(
        *kernels, measured ? ThreadTuner(cores) : ThreadTuner::fixed(decode), options, prefill));
  } catch (const std::system_error& error) {  // a limit on threads or memory
    return fail(ErrorCode::kMemory, "cannot start {} threads: {}; try fewer (-t, -tb)",
                std::max(decode, prefill), error.what());
  }
}

std::string CpuBackend::name() const {
  const std::uint32_t decode = decode_threads();
  return decode == prefill_threads_ ? fmt::format("cpu {}, {} threads", kernels_->name, decode)
                                    : fmt::format("cpu {}, {} threads (prefill {})", kernels_->name,
                                                  decode, prefill_threads_);
}

Status CpuBackend::pack(const plan::Plan& plan, const plan::Memory& need) {
  if (!options_.repack || (packed_ != nullptr && plan.id != 0 && packed_plan_ == plan.id))
    return {};
  packed_ = nullptr;  // the old ones go before the new ones come
  std::optional<cache::WeightCache> cache;
  if (options_.cache && !plan.source.empty()) {
    EDGELM_TRY_ASSIGN(cache::Options options, cache::Options::from_environment());
    options.notice = options_.notice;
    cache.emplace(std::move(options));
  }
  // Packed weights cannot be dropped and read again, as those of a mapped file can: a model that
  // does not fit beside the rest is run as it lies.
  const std::uint64_t available = os::available_memory_bytes();
  const std::uint64_t bytes = PackedWeights::bytes_of(plan, *kernels_);
  const bool fits = available == 0 || bytes + need.kv_bytes + need.compute_bytes <= available;
  packed_ =
      std::make_shared<PackedWeights>(plan, *kernels_, pool_, cache ? &*cache : nullptr, fits);
  if (!fits && packed_->bytes() == 0 && options_.notice)
    options_.notice(
        fmt::format("packing the weights takes {:.0f} MiB of memory, {:.0f} MiB are available: "
                    "they are used as they lie in the file, which is slower",
                    mebibytes(bytes), mebibytes(available)));
  packed_plan_ = plan.id;
  return {};
}

Result<std::unique_ptr<Executor>> CpuBackend::compile(const plan::Plan& plan,
                                                      const plan::Limits& limits) {
  EDGELM_TRY(plan::check_kv_type(plan, limits.kv_type));
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
    EDGELM_TRY(pack(plan, need));
    return std::unique_ptr<Executor>(new CpuExecutor(*this, plan, packed_, full, need));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::kMemory,
                "not enough memory for packed weights ({:.0f} MiB) and a context of {} tokens "
                "({:.0f} MiB); try a smaller context (-c) or --no-repack",
                options_.repack ? mebibytes(PackedWeights::bytes_of(plan, *kernels_)) : 0.0,
                full.context_tokens, mebibytes(need.kv_bytes + need.compute_bytes));
  }
}

}  // namespace edgelm::backend
