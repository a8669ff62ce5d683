// Passes over a prefix of one buffer, sizes in turn, medians kept.

#include "measure/cache_gain.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernels/kernels.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/pages.h"
#include "threads/pool.h"

namespace edgelm::measure {
namespace {

constexpr std::size_t kLeast = 4U << 20U;
constexpr std::size_t kMost = 1U << 30U;
constexpr std::size_t kUnit = 1U << 20U;
constexpr int kRounds = 3;

}  // namespace

Result<std::vector<CacheGainSample>> measure_cache_gain(std::uint32_t n_threads) {
  EDGELM_TRY_ASSIGN(const kernels::Kernels* kernels, kernels::select_kernels());
  threads::ThreadPool pool(std::max(n_threads, 1U));
  std::size_t most = kMost;
  if (const std::uint64_t available = os::available_memory_bytes(); available != 0)
    most = std::min<std::size_t>(most, std::max<std::size_t>(available / 8, kLeast));
  std::size_t largest = kLeast;
  while (largest * 2 <= most) largest *= 2;
  os::Pages buffer(largest);
  if (buffer.data() == nullptr)
    return fail(ErrorCode::kMemory, "no memory for a buffer of {} MiB", largest >> 20U);
  std::atomic<std::uint64_t> checksum = 0;
  const auto pass = [&](std::size_t bytes, bool fill) {
    auto work = [&](threads::ThreadPool::Member& member) {
      const auto range = member.share(bytes, kUnit);
      if (fill)
        std::memset(buffer.data() + range.begin, 0x5a, range.end - range.begin);
      else
        checksum.fetch_add(
            kernels->read_probe(buffer.data() + range.begin, range.end - range.begin),
            std::memory_order_relaxed);
    };
    const std::int64_t start = os::now_ns();
    pool.run(pool.size(), work);
    return static_cast<double>(bytes) / os::ns_to_s(os::now_ns() - start);
  };
  pass(largest, true);
  std::vector<std::vector<double>> speeds;
  std::vector<std::size_t> sizes;
  for (std::size_t bytes = kLeast; bytes <= largest; bytes *= 4) sizes.push_back(bytes);
  if (sizes.back() != largest) sizes.push_back(largest);
  speeds.resize(sizes.size());
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      pass(sizes[i], false);  // brings it into the caches
      speeds[i].push_back(pass(sizes[i], false));
    }
  std::vector<CacheGainSample> samples;
  samples.reserve(sizes.size());
  for (std::vector<double>& of_size : speeds) std::sort(of_size.begin(), of_size.end());
  const double from_memory = speeds.back()[kRounds / 2];
  for (std::size_t i = 0; i < sizes.size(); ++i)
    samples.push_back(
        {static_cast<double>(sizes[i]), std::max(1.0, speeds[i][kRounds / 2] / from_memory)});
  return samples;
}

}  // namespace edgelm::measure
