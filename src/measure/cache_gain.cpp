// The decode kernel over and over the first part of one buffer, parts of several sizes in turn.

#include "measure/cache_gain.h"

#include <algorithm>
#include <memory>

#include "kernels/kernels.h"
#include "measure/bandwidth.h"
#include "measure/kernel_probe.h"
#include "stats/summary.h"
#include "threads/pool.h"

namespace edgelm::measure {
namespace {

// Of the parts, in MiB: closer where last-level caches end.
constexpr std::size_t kSizes[] = {4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 512};
constexpr int kRounds = 3;
// Passes over a part before the timed ones: a cache that others have just used takes some to settle
// on what to keep.
constexpr std::size_t kWarmPasses = 3;
constexpr std::size_t kTimedPasses = 2;
constexpr std::size_t kLeastTimedBytes = 64U << 20U;

// More weights never stay in the caches better than fewer: where noise says so, neighbours share
// their mean (isotonic regression by pooling adjacent violators).
void make_falling(std::vector<CacheGainSample>& samples) {
  struct Pool {
    double sum;
    std::size_t count;
    [[nodiscard]] double mean() const { return sum / static_cast<double>(count); }
  };
  std::vector<Pool> pools;
  pools.reserve(samples.size());
  for (const CacheGainSample& sample : samples) {
    pools.push_back({sample.gain, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean() < pools.back().mean()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().sum += last.sum;
      pools.back().count += last.count;
    }
  }
  std::size_t at = 0;
  for (const Pool& pool : pools)
    for (std::size_t i = 0; i < pool.count; ++i) samples[at++].gain = std::max(1.0, pool.mean());
}

}  // namespace

Result<std::vector<CacheGainSample>> measure_cache_gain(std::uint32_t n_threads) {
  EDGELM_TRY_ASSIGN(const kernels::Kernels* kernels, kernels::select_kernels());
  threads::ThreadPool pool(std::max(n_threads, 1U));
  EDGELM_TRY_ASSIGN(const BandwidthProbe memory, BandwidthProbe::create(*kernels, pool));
  // No probe may be given less than one matrix.
  if (memory.buffer_bytes() <= kSizes[0] << 20U)
    return fail(ErrorCode::kMemory, "{} MiB of memory for the cache probe, more than {} are needed",
                memory.buffer_bytes() >> 20U, kSizes[0]);
  struct Part {
    std::size_t bytes;
    std::unique_ptr<KernelProbe> probe;
    std::vector<double> gains = {};  // of a round, relative to memory in the same round
    double speed = 0;
  };
  std::vector<Part> parts;
  parts.reserve(std::size(kSizes) + 1);
  const auto add = [&](std::size_t bytes) {
    parts.push_back(
        {bytes, std::make_unique<KernelProbe>(*kernels, pool, memory.buffer().first(bytes))});
  };
  for (const std::size_t mib : kSizes)
    if (mib << 20U < memory.buffer_bytes()) add(mib << 20U);
  add(memory.buffer_bytes());
  for (int round = 0; round < kRounds; ++round) {
    for (Part& part : parts) {
      const bool from_memory = part.bytes == memory.buffer_bytes();
      const std::size_t passes =
          from_memory ? 1 : std::max(kTimedPasses, kLeastTimedBytes / part.bytes);
      part.probe->pass(tensor::DType::kQ4_K, pool.size(), from_memory ? 1 : kWarmPasses);
      part.speed = part.probe->pass(tensor::DType::kQ4_K, pool.size(), passes);
    }
    for (Part& part : parts) part.gains.push_back(part.speed / parts.back().speed);
  }
  std::vector<CacheGainSample> samples;
  samples.reserve(parts.size());
  for (const Part& part : parts)
    samples.push_back({static_cast<double>(part.bytes), stats::quantile(part.gains, 0.5)});
  make_falling(samples);
  return samples;
}

}  // namespace edgelm::measure
