#pragma once
// Function attributes that open an instruction set for one function, instead of -m flags on files:
// nothing outside the marked functions can ever use instructions the processor may lack. A marked
// function may only be called after the features have been found at run time. Lambdas inside do not
// inherit the attribute (GCC), so kernels use none.

#if defined(__x86_64__)
#define EDGELM_X86 1
#include <immintrin.h>
#define EDGELM_AVX2 __attribute__((target("avx2,fma,f16c")))
#define EDGELM_AVX2_INLINE __attribute__((target("avx2,fma,f16c"), always_inline)) inline
// AVX-512 with VNNI: Ice Lake, Zen 4 and later.
#define EDGELM_VNNI512 \
  __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define EDGELM_VNNI512_INLINE EDGELM_VNNI512 __attribute__((always_inline)) inline
// The same instructions on 256 bits, without AVX-512: Alder Lake, N100 and later.
#define EDGELM_VNNI256 __attribute__((target("avx2,fma,f16c,avxvnni")))
#define EDGELM_VNNI256_INLINE EDGELM_VNNI256 __attribute__((always_inline)) inline
#elif defined(__aarch64__)
#define EDGELM_ARM 1
#include <arm_neon.h>
#define EDGELM_NEON_INLINE __attribute__((always_inline)) inline  // NEON itself is always there
// With the architecture, because GCC's arm_neon.h declares vdotq_s32 so; every processor with SDOT
// implements ARMv8.2.
#define EDGELM_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#define EDGELM_DOTPROD_INLINE EDGELM_DOTPROD __attribute__((always_inline)) inline
#define EDGELM_I8MM __attribute__((target("arch=armv8.2-a+dotprod+i8mm")))
#define EDGELM_I8MM_INLINE EDGELM_I8MM __attribute__((always_inline)) inline
#endif
