// Read probe in 256-bit loads; see probe.h.

#include "base/target.h"

#ifdef EDGELM_X86

#include "kernels/probe/probe.h"

namespace edgelm::kernels {

EDGELM_AVX2 std::uint64_t read_probe_avx2(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const __m256i*>(data);
  const __m256i* end = at + bytes / sizeof(__m256i);
  __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                    _mm256_setzero_si256()};
  for (; at != end; at += 16) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      sum[i % 4] = _mm256_add_epi64(sum[i % 4], _mm256_load_si256(at + i));
    }
  }
  const __m256i all =
      _mm256_add_epi64(_mm256_add_epi64(sum[0], sum[1]), _mm256_add_epi64(sum[2], sum[3]));
  alignas(32) std::uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), all);
  return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

}  // namespace edgelm::kernels

#endif
