// Layout of the image, and the packing.

#include "backend/cpu/packed_weights.h"

#include <new>

#include "base/checked.h"
#include "plan/cost.h"

namespace edgelm::backend {

std::vector<std::uint64_t> PackedWeights::sizes(const plan::Plan& plan,
                                                const kernels::Kernels& kernels) {
  std::vector<std::uint64_t> bytes(plan.weights.size(), 0);
  plan::for_each_matrix(plan, [&](plan::WeightId id) {
    const tensor::TensorView& weight = plan.weights[id];
    if (kernels.panel(weight.type) == nullptr) return;
    const std::uint64_t panels = ceil_div(weight.shape.rows(), std::uint64_t{kernels::kPanelRows});
    bytes[id] = panels * kernels::panel_bytes(weight.type, weight.shape.cols());
  });
  return bytes;
}

PackedWeights::PackedWeights(const plan::Plan& plan, const kernels::Kernels& kernels,
                             threads::ThreadPool& pool)
    : matrices_(plan.weights.size()) {
  const std::vector<std::uint64_t> bytes = sizes(plan, kernels);
  std::uint64_t total = 0;
  for (const std::uint64_t size : bytes) total += size;
  if (total == 0) return;
  image_ = os::Pages(total);
  if (image_.data() == nullptr) throw std::bad_alloc();
  std::byte* place = image_.data();
  for (std::size_t id = 0; id < bytes.size(); ++id) {
    if (bytes[id] == 0) continue;
    const tensor::TensorView& weight = plan.weights[id];
    matrices_[id] = {place, kernels::panel_bytes(weight.type, weight.shape.cols())};
    place += bytes[id];
  }
  auto work = [&](threads::ThreadPool::Member& member) {
    for (std::size_t id = 0; id < bytes.size(); ++id) {
      if (bytes[id] == 0) continue;
      const tensor::TensorView& weight = plan.weights[id];
      const std::size_t stride = matrices_[id].panel_bytes;
      const auto range = member.share(bytes[id] / stride);
      std::byte* const target = image_.data() + (matrices_[id].panels - image_.data());
      kernels::pack_panels(weight.type, weight.data.data(), weight.shape.rows(),
                           weight.shape.cols(), range.begin, range.end, target);
      if (plan.source.empty()) continue;
      const std::size_t panel = kernels::kPanelRows * weight.row_bytes();
      const std::size_t end = std::min<std::size_t>(range.end * panel, weight.data.size());
      os::release_file_pages(weight.data.subspan(range.begin * panel, end - range.begin * panel));
    }
  };
  pool.run(pool.size(), work);
}

}  // namespace edgelm::backend
