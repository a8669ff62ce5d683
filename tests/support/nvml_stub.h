#pragma once
// What a test can set in the stub of NVIDIA's management library (nvml_stub.cpp).

#include <array>

struct NvmlStub {
  int init_code = 0;
  int read_code = 0;
  unsigned gpus = 1;
  bool has_energy = true;
  unsigned milliwatts = 0;
  unsigned long long millijoules = 0;
  // Clocks event reasons of each GPU, and the code with which they are read.
  std::array<unsigned long long, 4> reasons{};
  int reasons_code = 0;
  int shutdowns = 0;
};

using NvmlStubFunction = NvmlStub* (*)();  // of the symbol "nvml_stub"
