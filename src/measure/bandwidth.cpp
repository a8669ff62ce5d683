// The buffer, filled once so that every page is its own, and the timed pass.

#include "measure/bandwidth.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/memory.h"

namespace edgelm::measure {
namespace {

constexpr std::size_t kLeast = 64U << 20;
constexpr std::size_t kMost = 1U << 30;
constexpr std::size_t kUnit = 1U << 20;  // the buffer and every share are multiples of 512 bytes

// See buffer(): 0x2a to 0x3b as the upper byte is 0.05 to 0.9 in f16, 1e-13 to 3e-3 in bf16, f32.
std::vector<std::byte> plausible_bytes() {
  Random random(1);
  std::vector<std::byte> bytes(kUnit);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(0x2a + random.bits() % 18);
  return bytes;
}

}  // namespace

Result<BandwidthProbe> BandwidthProbe::create(const kernels::Kernels& kernels,
                                              threads::ThreadPool& pool) {
  const std::uint64_t available = os::available_memory_bytes();
  std::uint64_t bytes = std::clamp<std::uint64_t>(4 * os::last_level_cache_bytes(), kLeast, kMost);
  if (available != 0) bytes = std::min<std::uint64_t>(bytes, std::max(available / 4, kUnit));
  bytes = bytes / kUnit * kUnit;
  BandwidthProbe probe;
  probe.kernels_ = &kernels;
  probe.pool_ = &pool;
  // A limit on the process (ulimit -v) is not in the figure of available memory: try less.
  probe.buffer_ = os::Pages(bytes);
  while (probe.buffer_.data() == nullptr && bytes / 2 >= kLeast) {
    bytes = bytes / 2 / kUnit * kUnit;
    probe.buffer_ = os::Pages(bytes);
  }
  probe.bytes_ = static_cast<std::size_t>(bytes);
  if (probe.buffer_.data() == nullptr)
    return fail(ErrorCode::kMemory, "no memory for the bandwidth probe's buffer of {} MiB",
                bytes >> 20U);
  // Touch from the threads that will read, so that pages lie near them.
  const std::vector<std::byte> pattern = plausible_bytes();
  auto fill = [&](threads::ThreadPool::Member& member) {
    const auto range = member.share(probe.bytes_, kUnit);
    for (std::size_t at = range.begin; at < range.end; at += kUnit)
      std::memcpy(probe.buffer_.data() + at, pattern.data(), kUnit);
  };
  pool.run(pool.size(), fill);
  return probe;
}

double BandwidthProbe::measure(std::uint32_t n_threads) {
  std::atomic<std::uint64_t> checksum = 0;
  auto read = [&](threads::ThreadPool::Member& member) {
    const auto range = member.share(bytes_, kUnit);
    checksum.fetch_add(kernels_->read_probe(buffer_.data() + range.begin, range.end - range.begin),
                       std::memory_order_relaxed);
  };
  const std::int64_t start = os::now_ns();
  pool_->run(n_threads, read);
  const double seconds = os::ns_to_s(os::now_ns() - start);
  checksum_ += checksum.load();
  return static_cast<double>(bytes_) / seconds;
}

}  // namespace edgelm::measure
