// Read probe in plain 64-bit loads; see probe.h.

#include "base/bytes.h"
#include "kernels/probe/probe.h"

namespace edgelm::kernels {

std::uint64_t read_probe_scalar(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const std::byte*>(data);
  std::uint64_t sum[4] = {};
  for (const std::byte* end = at + bytes; at != end; at += 32) {
    for (std::size_t i = 0; i < 4; ++i) sum[i] += load_le<std::uint64_t>(at + i * 8);
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

}  // namespace edgelm::kernels
