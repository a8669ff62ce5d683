// Read probe in 128-bit loads; see probe.h.

#include "base/target.h"

#ifdef EDGELM_ARM

#include "kernels/probe/probe.h"

namespace edgelm::kernels {

std::uint64_t read_probe_neon(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const std::uint64_t*>(data);
  const std::size_t quarter = bytes / sizeof(std::uint64_t) / 4;
  uint64x2_t sum[4] = {vdupq_n_u64(0), vdupq_n_u64(0), vdupq_n_u64(0), vdupq_n_u64(0)};
  for (std::size_t i = 0; i < quarter; i += 8) {
#pragma GCC unroll 4
    for (std::size_t s = 0; s < 4; ++s) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 8; j += 2) {
        sum[s] = vaddq_u64(sum[s], vld1q_u64(at + s * quarter + i + j));
      }
    }
  }
  return vaddvq_u64(vaddq_u64(vaddq_u64(sum[0], sum[1]), vaddq_u64(sum[2], sum[3])));
}

}  // namespace edgelm::kernels

#endif
