#pragma once
// The matrices of a plan in the panel layout that the kernels of one instruction set want
// (kernels/panel), in one image: mapped from the cache on disk when an earlier start left it there,
// else packed by all threads of the pool and left to the cache. Shared by the executors of a plan.

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cache/weight_cache.h"
#include "kernels/kernels.h"
#include "os/pages.h"
#include "plan/plan.h"
#include "threads/pool.h"

namespace edgelm::backend {

class PackedWeights {
 public:
  struct Matrix {
    const std::byte* panels = nullptr;  // nullptr: this weight is used as it lies in the file
    std::size_t panel_bytes = 0;
  };

  // `cache` may be nullptr. Without `may_build` only the cache is asked: what is not there is used
  // as it lies in the file. Throws std::bad_alloc when the system refuses memory. Resident pages of
  // a mapped model file are let go as they are packed, so that the weights are in memory once.
  PackedWeights(const plan::Plan& plan, const kernels::Kernels& kernels, threads::ThreadPool& pool,
                const cache::WeightCache* cache, bool may_build);

  [[nodiscard]] const Matrix& operator[](plan::WeightId id) const { return matrices_[id]; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  // 0: nothing is packed
  [[nodiscard]] bool from_cache() const { return mapped_.has_value(); }
  // Waits until the image is on the disk: for a measurement that wants quiet.
  void wait_until_stored() { store_.wait(); }

  // Bytes that the packed form of a plan takes.
  static std::uint64_t bytes_of(const plan::Plan& plan, const kernels::Kernels& kernels);

 private:
  std::uint64_t pack(const plan::Plan& plan, threads::ThreadPool& pool, std::byte* image);

  std::vector<Matrix> matrices_;  // per weight of the plan
  std::uint64_t bytes_ = 0;
  std::optional<cache::Image> mapped_;
  std::shared_ptr<const std::byte> built_;
  cache::Store store_;  // ends before what it writes
};

}  // namespace edgelm::backend
