// Read probe in plain 64-bit loads; see probe.h.

#include "base/bytes.h"
#include "kernels/probe/probe.h"

namespace edgelm::kernels {

std::uint64_t read_probe_scalar(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const std::byte*>(data);
  const std::size_t quarter = bytes / 4;
  std::uint64_t sum[4] = {};
  for (std::size_t i = 0; i < quarter; i += 8) {
    for (std::size_t s = 0; s < 4; ++s) sum[s] += load_le<std::uint64_t>(at + s * quarter + i);
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

}  // namespace edgelm::kernels
