#pragma once
// How fast the engine's own products run on this device, one weight type at a time: as the executor
// runs them (inputs quantized, rows shared out in pieces, a barrier after each matrix), over
// matrices of a small model's size, without a model. Called by device_speed.cpp; what it measures
// is what the predictor divides the bytes of a model by.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "tensor/dtype.h"
#include "threads/pool.h"

namespace edgelm::measure {

enum class KernelPhase : std::uint8_t { kDecode, kDecodeCached, kPrefill };

class KernelProbe {
 public:
  // `weights` (of BandwidthProbe::buffer) well beyond the caches, not owned, as the pool and the
  // kernels; all must outlive this.
  KernelProbe(const kernels::Kernels& kernels, threads::ThreadPool& pool,
              std::span<const std::byte> weights);
  ~KernelProbe();
  KernelProbe(const KernelProbe&) = delete;
  KernelProbe& operator=(const KernelProbe&) = delete;

  // One sample of some milliseconds, by all threads together. Decode: bytes of weights per second,
  // as many as the type takes in a file; prefill: multiply-adds per second.
  double measure(tensor::DType type, KernelPhase phase, std::uint32_t n_threads);

  // Decode's products with all of the weights, `passes` times: bytes per second.
  double pass(tensor::DType type, std::uint32_t n_threads, std::size_t passes);

  // About as long as a sample shall take.
  static constexpr double kSampleSeconds = 4e-3;

 private:
  struct Inputs;
  struct Rows;
  [[nodiscard]] Rows rows_of(tensor::DType type) const;
  void prepare(const Rows& rows, std::size_t first, std::size_t count);
  void multiply(const Rows& rows, const std::byte* weights, std::size_t begin, std::size_t end,
                std::size_t first_input, std::size_t n_tokens, float* out, std::size_t out_stride);
  double run_decode(const Rows& rows, std::uint32_t n_threads, std::size_t n_matrices);
  double run_cached(const Rows& rows, std::uint32_t n_threads, std::size_t passes);
  double run_prefill(const Rows& rows, std::uint32_t n_threads, std::size_t n_rows);

  const kernels::Kernels* kernels_;
  threads::ThreadPool* pool_;
  std::span<const std::byte> weights_;
  std::size_t next_ = 0;  // where the next matrix from memory begins
  std::unique_ptr<Inputs> inputs_;
  // What a sample of (type, phase, threads) needs of work to last kSampleSeconds; learnt.
  struct Work {
    tensor::DType type;
    KernelPhase phase;
    std::uint32_t n_threads;
    std::size_t amount;
  };
  std::vector<Work> work_;
  std::size_t& work_of(tensor::DType type, KernelPhase phase, std::uint32_t n_threads);
};

}  // namespace edgelm::measure
