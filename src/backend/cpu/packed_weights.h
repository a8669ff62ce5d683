#pragma once
// The matrices of a plan in the panel layout that the kernels of one instruction set want
// (kernels/panel), in one block of memory. Built once per plan by all threads of the pool and
// shared by the executors of that plan.

#include <cstdint>
#include <memory>
#include <vector>

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

  // Throws std::bad_alloc when there is not enough memory. Resident pages of a mapped model file
  // are let go as they are packed, so that the weights are in memory once.
  PackedWeights(const plan::Plan& plan, const kernels::Kernels& kernels, threads::ThreadPool& pool);

  [[nodiscard]] const Matrix& operator[](plan::WeightId id) const { return matrices_[id]; }
  [[nodiscard]] std::uint64_t bytes() const { return image_.size(); }

  // Bytes that packing will take, per weight; 0 for those that are not packed.
  static std::vector<std::uint64_t> sizes(const plan::Plan& plan, const kernels::Kernels& kernels);

 private:
  std::vector<Matrix> matrices_;  // per weight of the plan
  os::Pages image_;
};

}  // namespace edgelm::backend
