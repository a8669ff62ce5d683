#pragma once
// The most multiply-adds per second that a core reaches with the instructions a kernel must use:
// loops of these instructions alone, on registers, with enough accumulators to hide their latency.
// The passport of a device times them for its arithmetic peaks (peak.h), benchmarks of products
// report their speed as a share of them. "Mix", because a product of bytes takes more than one
// instruction on most sets, and the sum of them is what a port can do.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/target.h"
#include "os/cpu.h"

namespace edgelm::kernels {

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
#define EDGELM_KEEP_WORD(x) __asm__ volatile("" : "+r"(x))

// kSteps independent accumulators; `step` is an expression of acc[i], w and x.
#define EDGELM_MIX(name, attribute, Acc, Vector, kSteps, step) \
  EDGELM_MIX_IN(name, attribute, Acc, Vector, kSteps, step, EDGELM_KEEP)
#define EDGELM_MIX_IN(name, attribute, Acc, Vector, kSteps, step, keep) \
  attribute inline void name(std::int64_t rounds) {                     \
    Vector w{}, x{};                                                    \
    Acc acc[kSteps] = {};                                               \
    for (std::int64_t round = 0; round < rounds; ++round) {             \
      _Pragma("GCC unroll 16") for (int i = 0; i < kSteps; ++i) {       \
        keep(w);                                                        \
        keep(x);                                                        \
        acc[i] = step;                                                  \
        keep(acc[i]);                                                   \
      }                                                                 \
    }                                                                   \
  }

// What a processor does without any of the sets.
EDGELM_MIX_IN(mix_scalar_int, , std::int32_t, std::int32_t, 8, acc[i] + w * x, EDGELM_KEEP_WORD)
inline constexpr Mix kScalarInt{"scalar int32", 8, mix_scalar_int};

#if defined(EDGELM_X86)
EDGELM_MIX(mix_scalar_float, , float, float, 8, acc[i] + w * x)
EDGELM_MIX(mix_fma, EDGELM_AVX2, __m256, __m256, 12, _mm256_fmadd_ps(w, x, acc[i]))
EDGELM_MIX(mix_fma512, EDGELM_VNNI512, __m512, __m512, 12, _mm512_fmadd_ps(w, x, acc[i]))
EDGELM_MIX(mix_int16, EDGELM_AVX2, __m256i, __m256i, 8,
           _mm256_add_epi16(acc[i], _mm256_maddubs_epi16(w, x)))
EDGELM_MIX(mix_int32, EDGELM_AVX2, __m256i, __m256i, 8,
           _mm256_add_epi32(acc[i], _mm256_madd_epi16(_mm256_maddubs_epi16(w, x), x)))
EDGELM_MIX(mix_wide, EDGELM_AVX2, __m256i, __m256i, 8,
           _mm256_add_epi32(acc[i], _mm256_madd_epi16(w, x)))
EDGELM_MIX(mix_vnni256, EDGELM_VNNI256, __m256i, __m256i, 12, _mm256_dpbusd_avx_epi32(acc[i], w, x))
EDGELM_MIX(mix_vnni512, EDGELM_VNNI512, __m512i, __m512i, 12, _mm512_dpbusd_epi32(acc[i], w, x))

inline constexpr Mix kScalarFloat{"f32 mulss+addss", 8, mix_scalar_float};
inline constexpr Mix kFma{"f32 vfmadd (256 bit)", 12 * 8, mix_fma};
inline constexpr Mix kFma512{"f32 vfmadd (512 bit)", 12 * 16, mix_fma512};
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
  if (cpu.avx512_vnni) mixes.insert(mixes.end(), {&kFma512, &kVnni512});
  return mixes;
}
#elif defined(EDGELM_ARM)
EDGELM_MIX(mix_scalar_float, , float, float, 8, acc[i] + w * x)
EDGELM_MIX(mix_fma, , float32x4_t, float32x4_t, 16, vfmaq_f32(acc[i], w, x))
EDGELM_MIX(mix_widening, , int32x4_t, int8x8_t, 16, vpadalq_s16(acc[i], vmull_s8(w, x)))
EDGELM_MIX(mix_dotprod, EDGELM_DOTPROD, int32x4_t, int8x16_t, 16, vdotq_s32(acc[i], w, x))
EDGELM_MIX(mix_i8mm, EDGELM_I8MM, int32x4_t, int8x16_t, 16, vmmlaq_s32(acc[i], w, x))

inline constexpr Mix kScalarFloat{"f32 fmul+fadd", 8, mix_scalar_float};
inline constexpr Mix kFma{"f32 fmla", 16 * 4, mix_fma};
inline constexpr Mix kWidening{"smull+sadalp", 16 * 8, mix_widening};
inline constexpr Mix kDotprod{"sdot", 16 * 16, mix_dotprod};
inline constexpr Mix kI8mm{"smmla", 16 * 32, mix_i8mm};

inline std::vector<const Mix*> mixes_here() {
  std::vector<const Mix*> mixes{&kFma, &kWidening};
  if (os::cpu_features().dotprod) mixes.push_back(&kDotprod);
  if (os::cpu_features().i8mm) mixes.push_back(&kI8mm);
  return mixes;
}
#else
inline std::vector<const Mix*> mixes_here() { return {}; }
#endif

#undef EDGELM_MIX
#undef EDGELM_MIX_IN
#undef EDGELM_KEEP
#undef EDGELM_KEEP_WORD

}  // namespace edgelm::kernels
