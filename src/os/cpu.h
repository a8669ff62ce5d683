#pragma once
// What the processor is and can do: read once, never guessed. x86 features come from CPUID and
// XGETBV (the system must save the registers), ARM features from the auxiliary vector.

#include <cstdint>
#include <string>

namespace edgelm::os {

struct CpuFeatures {
  // x86-64
  bool avx2 = false;
  bool fma = false;
  bool avx_vnni = false;     // the 256-bit VNNI of processors without AVX-512
  bool avx512_vnni = false;  // with F, BW, DQ and VL
  bool f16c = false;
  // AArch64
  bool neon = false;
  bool dotprod = false;
  bool i8mm = false;
};

const CpuFeatures& cpu_features();

// "AMD Ryzen 7 5800X", or the implementer and part of an ARM core; "unknown" when not told.
std::string cpu_name();

// Logical processors this process may run on (its affinity mask), at least 1.
int usable_cpus();

// Distinct physical cores among them (SMT siblings counted once), at least 1.
int usable_cores();

// Size of the largest cache of processor 0; 0 when the system does not tell (ARM boards often).
std::uint64_t last_level_cache_bytes();

}  // namespace edgelm::os
