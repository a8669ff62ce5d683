// Read probe in 256-bit loads; see probe.h.

#include "base/target.h"

#ifdef EDGELM_X86

#include "kernels/probe/probe.h"

namespace edgelm::kernels {

EDGELM_AVX2 std::uint64_t read_probe_avx2(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const __m256i*>(data);
  const std::size_t quarter = bytes / sizeof(__m256i) / 4;
  __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                    _mm256_setzero_si256()};
  for (std::size_t i = 0; i < quarter; i += 4) {
#pragma GCC unroll 4
    for (std::size_t s = 0; s < 4; ++s) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 4; ++j) {
        sum[s] = _mm256_add_epi64(sum[s], _mm256_load_si256(at + s * quarter + i + j));
      }
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
