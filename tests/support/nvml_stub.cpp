// A management library for tests of src/device/power/nvml.cpp: loaded by its path in place of
// NVIDIA's, steered by the test through nvml_stub(). Built three times: with all symbols, with the
// name that clocks event reasons had before, and as an old library without them and without the
// energy counter.

#include "support/nvml_stub.h"

#include <cstring>

namespace {
NvmlStub state;
}  // namespace

extern "C" {
NvmlStub* nvml_stub() { return &state; }

int nvmlInit_v2() { return state.init_code; }
int nvmlShutdown() {
  ++state.shutdowns;
  return 0;
}
const char* nvmlErrorString(int code) { return code == 15 ? "GPU is lost" : "stub error"; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = state.gpus;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (index >= state.gpus) return 2;
  *device = &state.gpus + index;
  return 0;
}
int nvmlDeviceGetName(void* /*device*/, char* name, unsigned length) {
  std::strncpy(name, "Stub 3000", length);
  return 0;
}
int nvmlDeviceGetPowerUsage(void* /*device*/, unsigned* milliwatts) {
  *milliwatts = state.milliwatts;
  return state.read_code;
}
#ifndef EDGELM_NVML_STUB_WITHOUT_ENERGY
int nvmlDeviceGetTotalEnergyConsumption(void* /*device*/, unsigned long long* millijoules) {
  if (!state.has_energy) return 3;
  *millijoules = state.millijoules;
  return state.read_code;
}
#endif
#ifndef EDGELM_NVML_STUB_WITHOUT_ENERGY
#ifdef EDGELM_NVML_STUB_OLD_NAMES
int nvmlDeviceGetCurrentClocksThrottleReasons(void* device, unsigned long long* reasons) {
#else
int nvmlDeviceGetCurrentClocksEventReasons(void* device, unsigned long long* reasons) {
#endif
  // The inverse of nvmlDeviceGetHandleByIndex_v2.
  const auto index = static_cast<unsigned*>(device) - &state.gpus;
  *reasons = state.reasons.at(static_cast<std::size_t>(index));
  return state.reasons_code;
}
#endif
}
