// The schedule: every figure is a task that gives one sample at a time, all tasks run once per
// round, the first round is not counted (clocks rise, pages are touched, work is sized).

#include "measure/device_speed.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

#include "kernels/probe/peak.h"
#include "measure/bandwidth.h"
#include "measure/kernel_probe.h"
#include "measure/other_load.h"
#include "measure/storage_speed.h"
#include "measure/thread_rates.h"
#include "os/cpu.h"
#include "os/system_files.h"
#include "stats/summary.h"
#include "tensor/types/all.h"
#include "threads/pool.h"

namespace edgelm::measure {
namespace {

constexpr std::uint32_t kMaxThreads = 256;
// Of the samples of a figure. Other programs only slow: on a quiet machine this is within noise of
// the median, and on a busy one it stays when the median already is what others left over.
constexpr double kQuantile = 0.75;
constexpr std::size_t kLeastBuffer = 32U << 20;

struct Task {
  std::string name;
  std::uint32_t threads = 0;
  std::function<double()> sample;
  std::vector<device::PerThreads>* result = nullptr;
  std::vector<double> samples;
};

template <class... Types>
std::vector<tensor::DType> listed(tensor::TypeList<Types...>) {
  return {Types::kType...};
}

Result<std::vector<tensor::DType>> types_of(const SpeedOptions& options) {
  if (options.types.empty() && !options.quick) return listed(tensor::AllTypes{});
  if (options.types.empty())
    return std::vector<tensor::DType>{tensor::DType::kF16, tensor::DType::kQ4_0,
                                      tensor::DType::kQ8_0, tensor::DType::kQ4_K,
                                      tensor::DType::kQ6_K};
  std::vector<tensor::DType> types;
  types.reserve(options.types.size());
  for (const std::string& name : options.types) {
    const tensor::DTypeInfo* info = tensor::find_dtype(name);
    if (info == nullptr)
      return fail(ErrorCode::kUsage, "weight type '{}' is unknown to this build", name);
    types.push_back(info->type);
  }
  return types;
}

// Operations per second of a loop of instructions on all threads together.
class PeakProbe {
 public:
  PeakProbe(const kernels::Mix& mix, threads::ThreadPool& pool) : mix_(&mix), pool_(&pool) {}

  double measure(std::uint32_t n_threads) {
    const std::int64_t rounds = rounds_;
    const double per_second =
        sum_of_rates(*pool_, n_threads, static_cast<double>(rounds),
                     [&](threads::ThreadPool::Member&) { mix_->run(rounds); });
    rounds_ = static_cast<std::int64_t>(
        std::clamp(per_second / n_threads * KernelProbe::kSampleSeconds, 1e3, 1e9));
    return 2 * mix_->macs_per_round * per_second;
  }

 private:
  const kernels::Mix* mix_;
  threads::ThreadPool* pool_;
  std::int64_t rounds_ = 10'000;
};

struct Probes {
  Probes(const kernels::Kernels& kernels, threads::ThreadPool& pool, BandwidthProbe memory)
      : bandwidth(std::move(memory)),
        products(kernels, pool, bandwidth.buffer()),
        bytes(kernels::int8_peak(kernels.isa), pool),
        floats(kernels::f32_peak(kernels.isa), pool) {}
  BandwidthProbe bandwidth;
  KernelProbe products;
  PeakProbe bytes;
  PeakProbe floats;
};

constexpr std::array<std::pair<KernelPhase, const char*>, 3> kPhases{
    std::pair{KernelPhase::kDecode, "decode"},
    {KernelPhase::kDecodeCached, "decode_cached"},
    {KernelPhase::kPrefill, "prefill"}};

std::vector<Task> tasks_of(Probes& probes, const std::vector<tensor::DType>& types,
                           const std::vector<std::uint32_t>& threads, device::Speeds& speeds) {
  std::vector<Task> tasks;
  // Results are pointed to: none may be added once tasks are made.
  for (const tensor::DType type : types)
    for (const auto& [phase, name] : kPhases)
      speeds.kernels.push_back({std::string(tensor::dtype_info(type).name), name, {}});
  for (const std::uint32_t n : threads) {
    tasks.push_back({"read bandwidth",
                     n,
                     [&probes, n] { return probes.bandwidth.measure(n); },
                     &speeds.read_bytes_per_s,
                     {}});
    tasks.push_back({"int8 peak",
                     n,
                     [&probes, n] { return probes.bytes.measure(n); },
                     &speeds.int8_ops_per_s,
                     {}});
    tasks.push_back({"f32 peak",
                     n,
                     [&probes, n] { return probes.floats.measure(n); },
                     &speeds.f32_ops_per_s,
                     {}});
    std::size_t i = 0;
    for (const tensor::DType type : types)
      for (const auto& [phase, name] : kPhases) {
        device::KernelSpeed& kernel = speeds.kernels[i++];
        tasks.push_back(
            {kernel.type + " " + name,
             n,
             [&probes, type, what = phase, n] { return probes.products.measure(type, what, n); },
             &kernel.per_threads,
             {}});
      }
  }
  return tasks;
}

void run_rounds(std::vector<Task>& tasks, std::uint32_t rounds, const SpeedProgress& progress,
                std::uint64_t total) {
  std::uint64_t done = 0;
  for (std::uint32_t round = 0; round <= rounds; ++round) {
    for (Task& task : tasks) {
      if (progress) progress(done, total, fmt::format("{}, {} threads", task.name, task.threads));
      const double value = task.sample();
      if (round > 0) task.samples.push_back(value);
      ++done;
    }
  }
}

}  // namespace

std::vector<std::uint32_t> thread_counts(std::uint32_t most) {
  std::vector<std::uint32_t> counts;
  for (std::uint32_t base = 1; base < most; base *= 2) {
    counts.push_back(base);
    if (base >= 2 && base + base / 2 < most) counts.push_back(base + base / 2);
  }
  counts.push_back(std::max(1U, most));
  return counts;
}

Result<device::Speeds> measure_speeds(const SpeedOptions& options, const SpeedProgress& progress) {
  EDGELM_TRY_ASSIGN(const kernels::Kernels* kernels, kernels::select_kernels(options.isa));
  EDGELM_TRY_ASSIGN(const std::vector<tensor::DType> types, types_of(options));
  const std::uint32_t most =
      std::min(kMaxThreads, options.threads != 0 ? options.threads
                                                 : static_cast<std::uint32_t>(os::usable_cores()));
  std::optional<threads::ThreadPool> pool;
  try {
    pool.emplace(most);
  } catch (const std::system_error& error) {  // a limit on threads
    return fail(ErrorCode::kMemory, "cannot start {} threads: {}", most, error.what());
  }
  EDGELM_TRY_ASSIGN(BandwidthProbe memory, BandwidthProbe::create(*kernels, *pool));
  if (memory.buffer_bytes() < kLeastBuffer)
    return fail(ErrorCode::kMemory,
                "{} MiB of memory for the buffer of the measurement, at least {} are needed",
                memory.buffer_bytes() >> 20U, kLeastBuffer >> 20U);
  std::vector<std::uint32_t> threads = thread_counts(most);
  if (options.quick && threads.size() > 2) threads = {1, most};
  const std::uint32_t rounds = options.quick ? 3 : std::max(1U, options.rounds);

  device::Speeds speeds;
  speeds.origin = Origin::kMeasured;
  Probes probes(*kernels, *pool, std::move(memory));
  std::vector<Task> tasks = tasks_of(probes, types, threads, speeds);
  const std::uint64_t total = tasks.size() * (std::uint64_t{rounds} + 1) + 1;
  const auto files = os::system_files();
  const auto before = read_cpu_times(*files);
  run_rounds(tasks, rounds, progress, total);
  // A quarter of a processor is the system's own noise.
  const Known<double> others = other_load(before, read_cpu_times(*files));
  if (others && *others > 0.25)
    speeds.why = fmt::format("other programs kept {:.1f} processors busy meanwhile", *others);
  for (const Task& task : tasks)
    task.result->push_back({task.threads, stats::quantile(task.samples, kQuantile)});

  if (options.storage_path.empty() || options.quick) {
    speeds.storage_bytes_per_s = not_available("not measured");
    return speeds;
  }
  if (progress) progress(total - 1, total, "storage");
  const auto storage = storage_speed({.path = options.storage_path});
  speeds.storage_path = options.storage_path;
  if (storage) {
    speeds.storage_bytes_per_s = storage->bytes_per_s;
  } else {
    speeds.storage_bytes_per_s = not_available(storage.error().reason);
  }
  return speeds;
}

}  // namespace edgelm::measure
