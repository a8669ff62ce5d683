#pragma once
// The most multiply-adds per second that a core reaches with the instructions a kernel must use:
// loops of these instructions alone, on registers, with enough accumulators to hide their latency.
// Benchmarks of products report their speed as a share of it. "Mix", because a product of bytes
// takes more than one instruction on most sets, and the sum of them is what a port can do.

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/target.h"
#include "os/cpu.h"

namespace edgelm::bench {

// Of the calling thread: other work on the machine does not count.
inline double thread_cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct Mix {
  std::string_view name;
  double macs_per_round;
  void (*run)(std::int64_t rounds);
};

// Each step passes its operands through an empty asm, or the compiler would compute the product
// once, and so does each accumulator, or it would add several products before it.
#if defined(EDGELM_X86)
#define EDGELM_KEEP(x) __asm__ volatile("" : "+v"(x))
#elif defined(EDGELM_ARM)
#define EDGELM_KEEP(x) __asm__ volatile("" : "+w"(x))
#endif

// kSteps independent accumulators; `step` is an expression of acc[i], w and x.
#define EDGELM_MIX(name, attribute, Acc, Vector, kSteps, step)    \
  attribute inline void name(std::int64_t rounds) {               \
    Vector w{}, x{};                                              \
    Acc acc[kSteps] = {};                                         \
    for (std::int64_t round = 0; round < rounds; ++round) {       \
      _Pragma("GCC unroll 16") for (int i = 0; i < kSteps; ++i) { \
        EDGELM_KEEP(w);                                           \
        EDGELM_KEEP(x);                                           \
        acc[i] = step;                                            \
        EDGELM_KEEP(acc[i]);                                      \
      }                                                           \
    }                                                             \
  }

#if defined(EDGELM_X86)
EDGELM_MIX(mix_fma, EDGELM_AVX2, __m256, __m256, 12, _mm256_fmadd_ps(w, x, acc[i]))
EDGELM_MIX(mix_int16, EDGELM_AVX2, __m256i, __m256i, 8,
           _mm256_add_epi16(acc[i], _mm256_maddubs_epi16(w, x)))
EDGELM_MIX(mix_int32, EDGELM_AVX2, __m256i, __m256i, 8,
           _mm256_add_epi32(acc[i], _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), x)))
EDGELM_MIX(mix_wide, EDGELM_AVX2, __m256i, __m256i, 8,
           _mm256_add_epi32(acc[i], _mm256_madd_epi16(w, x)))
EDGELM_MIX(mix_vnni256, EDGELM_VNNI256, __m256i, __m256i, 12, _mm256_dpbusd_avx_epi32(acc[i], w, x))
EDGELM_MIX(mix_vnni512, EDGELM_VNNI512, __m512i, __m512i, 12, _mm512_dpbusd_epi32(acc[i], w, x))

inline constexpr Mix kFma{"f32 vfmadd (256 bit)", 12 * 8, mix_fma};
inline constexpr Mix kInt16{"vpmaddubsw+vpaddw", 8 * 32, mix_int16};
inline constexpr Mix kInt32{"vpmaddubsw+vpmaddwd+vpaddd", 8 * 32, mix_int32};
inline constexpr Mix kWide{"vpmaddwd+vpaddd", 8 * 16, mix_wide};
inline constexpr Mix kVnni256{"vpdpbusd (256 bit)", 12 * 32, mix_vnni256};
inline constexpr Mix kVnni512{"vpdpbusd (512 bit)", 12 * 64, mix_vnni512};

inline std::vector<const Mix*> mixes_here() {
  std::vector<const Mix*> mixes;
  const os::CpuFeatures& cpu = os::cpu_features();
  if (cpu.avx2 && cpu.fma) mixes = {&kFma, &kInt16, &kInt32, &kWide};
  if (cpu.avx_vnni) mixes.push_back(&kVnni256);
  if (cpu.avx512_vnni) mixes.push_back(&kVnni512);
  return mixes;
}
#elif defined(EDGELM_ARM)
EDGELM_MIX(mix_fma, , float32x4_t, float32x4_t, 16, vfmaq_f32(acc[i], w, x))
EDGELM_MIX(mix_dotprod, EDGELM_DOTPROD, int32x4_t, int8x16_t, 16, vdotq_s32(acc[i], w, x))
EDGELM_MIX(mix_i8mm, EDGELM_I8MM, int32x4_t, int8x16_t, 16, vmmlaq_s32(acc[i], w, x))

inline constexpr Mix kFma{"f32 fmla", 16 * 4, mix_fma};
inline constexpr Mix kDotprod{"sdot", 16 * 16, mix_dotprod};
inline constexpr Mix kI8mm{"smmla", 16 * 32, mix_i8mm};

inline std::vector<const Mix*> mixes_here() {
  std::vector<const Mix*> mixes{&kFma};
  if (os::cpu_features().dotprod) mixes.push_back(&kDotprod);
  if (os::cpu_features().i8mm) mixes.push_back(&kI8mm);
  return mixes;
}
#else
inline std::vector<const Mix*> mixes_here() { return {}; }
#endif

#undef EDGELM_MIX
#undef EDGELM_KEEP

// The best of ten runs, each a few milliseconds.
inline double peak_macs_per_second(const Mix& mix) {
  constexpr std::int64_t kRounds = 1'000'000;
  double best = 0;
  for (int i = 0; i < 10; ++i) {
    const double start = thread_cpu_seconds();
    mix.run(kRounds);
    const double seconds = thread_cpu_seconds() - start;
    if (seconds > 0) best = std::max(best, mix.macs_per_round * kRounds / seconds);
  }
  return best;
}

}  // namespace edgelm::bench
