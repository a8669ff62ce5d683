#pragma once
// The first measuring protocol: prefill ("pp128") and decode ("tg32") speed of a model, each
// repetition preceded by a bandwidth probe with the same threads, after one warm-up that is not
// counted. Works on the executor alone: no sampling, no text, as llama-bench does.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "measure/bandwidth.h"
#include "model/model.h"
#include "stats/summary.h"

namespace edgelm::measure {

struct BenchTest {
  bool prefill = true;  // otherwise decode
  std::uint32_t n_tokens = 0;
  std::uint32_t batch = 256;      // tokens per prefill step
  std::uint32_t depth = 0;        // positions in the cache before the first token
  std::uint32_t n_sequences = 1;  // decoded together, a token of each per step
  plan::KvType kv_type = plan::KvType::kF16;
  [[nodiscard]] std::string name() const {
    std::string name = (prefill ? "pp" : "tg") + std::to_string(n_tokens);
    if (n_sequences > 1) name += " x" + std::to_string(n_sequences);
    if (depth > 0) name += " @ d" + std::to_string(depth);
    return name;
  }
};

struct BenchMemory {
  std::uint64_t weights_bytes = 0;   // mapped
  std::uint64_t kv_bytes = 0;        // allocated
  std::uint64_t compute_bytes = 0;   // allocated
  std::uint64_t peak_rss_bytes = 0;  // resident after the runs, without the probe's buffer
};

struct BenchResult {
  BenchTest test;
  std::uint32_t threads = 0;
  std::vector<double> tokens_per_second;  // one per repetition
  stats::Summary speed;                   // of them
  double weight_bytes_per_token = 0;      // read from the weights
  double bytes_per_second = 0;            // weight_bytes_per_token * median speed
  double read_bytes_per_second = 0;       // median of the probes
  BenchMemory memory;
  [[nodiscard]] double bandwidth_fraction() const {
    return bytes_per_second / read_bytes_per_second;
  }
};

// Called before every repetition with its number (0 is the warm-up).
using BenchProgress = std::function<void(std::uint32_t)>;

// `backend` has been created with the threads to measure; the probe uses its pool.
Result<BenchResult> bench(const std::shared_ptr<const model::Model>& model,
                          backend::CpuBackend& backend, BandwidthProbe& probe,
                          const BenchTest& test, std::uint32_t repetitions,
                          const BenchProgress& progress = {});

}  // namespace edgelm::measure
