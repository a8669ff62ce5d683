// Read probe in 128-bit loads; see probe.h.

#include "base/target.h"

#ifdef EDGELM_ARM

#include "kernels/probe/probe.h"

namespace edgelm::kernels {

std::uint64_t read_probe_neon(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const std::uint64_t*>(data);
  const std::uint64_t* end = at + bytes / sizeof(std::uint64_t);
  uint64x2_t sum[4] = {vdupq_n_u64(0), vdupq_n_u64(0), vdupq_n_u64(0), vdupq_n_u64(0)};
  for (; at != end; at += 32) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) sum[i % 4] = vaddq_u64(sum[i % 4], vld1q_u64(at + 2 * i));
  }
  return vaddvq_u64(vaddq_u64(vaddq_u64(sum[0], sum[1]), vaddq_u64(sum[2], sum[3])));
}

}  // namespace edgelm::kernels

#endif
