#pragma once
// Which kernel sets a contract test runs: every one this processor can run, and a check that the
// list is not shorter than the processor deserves (a test over an empty list would prove nothing).

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "base/target.h"
#include "kernels/kernels.h"
#ifdef EDGELM_ARM
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace edgelm::test {

inline bool has_isa(const std::vector<const kernels::Kernels*>& sets, kernels::Isa isa) {
  for (const kernels::Kernels* set : sets) {
    if (set->isa == isa) return true;
  }
  return false;
}

inline std::vector<const kernels::Kernels*> runnable_kernels() {
  std::vector<const kernels::Kernels*> sets;
  for (const kernels::Kernels* set : kernels::all_kernels()) {
    if (kernels::runs_here(*set)) sets.push_back(set);
  }
  EXPECT_TRUE(has_isa(sets, kernels::Isa::kScalar));
#ifdef EDGELM_X86
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    EXPECT_TRUE(has_isa(sets, kernels::Isa::kAvx2));
    EXPECT_EQ(has_isa(sets, kernels::Isa::kAvx512),
              __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"));
  }
#endif
#ifdef EDGELM_ARM
  EXPECT_TRUE(has_isa(sets, kernels::Isa::kNeon));
  // Linux lets programs read the identification registers; DP says whether SDOT is there.
  if ((getauxval(AT_HWCAP) & HWCAP_CPUID) != 0) {
    std::uint64_t features = 0;
    asm("mrs %0, ID_AA64ISAR0_EL1" : "=r"(features));
    const bool dotprod = ((features >> 44) & 15) != 0;
    EXPECT_EQ(has_isa(sets, kernels::Isa::kDotprod), dotprod);
    asm("mrs %0, ID_AA64ISAR1_EL1" : "=r"(features));  // I8MM: SMMLA
    EXPECT_EQ(has_isa(sets, kernels::Isa::kI8mm), dotprod && ((features >> 52) & 15) != 0);
  }
#endif
  return sets;
}

}  // namespace edgelm::test
