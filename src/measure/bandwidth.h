#pragma once
// Read bandwidth of the memory as the kernels see it: all given threads read a buffer well beyond
// the caches with the widest loads of the instruction set and four accumulators each. The
// denominator of every "fraction of bandwidth" that edgelm reports.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "kernels/kernels.h"
#include "os/pages.h"
#include "threads/pool.h"

namespace edgelm::measure {

class BandwidthProbe {
 public:
  // The buffer is four times the last-level cache, at least 64 MiB, at most 1 GiB and a quarter of
  // the available memory. kMemory when even the least does not fit.
  static Result<BandwidthProbe> create(const kernels::Kernels& kernels, threads::ThreadPool& pool);

  // Bytes per second over one pass of the buffer by n_threads threads.
  double measure(std::uint32_t n_threads);

  [[nodiscard]] std::size_t buffer_bytes() const { return bytes_; }
  // What it reads: random bytes that are positive, normal numbers as f16, bf16 and f32, so that
  // kernel_probe.h can take them for weights of any type. 2 MiB aligned.
  [[nodiscard]] std::span<const std::byte> buffer() const { return {buffer_.data(), bytes_}; }

 private:
  const kernels::Kernels* kernels_ = nullptr;
  threads::ThreadPool* pool_ = nullptr;
  os::Pages buffer_;  // huge pages where there are any: the most this memory can deliver
  std::size_t bytes_ = 0;
  std::uint64_t checksum_ = 0;
};

}  // namespace edgelm::measure
