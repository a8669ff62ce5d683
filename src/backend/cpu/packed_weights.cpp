// What lies where in the image, finding it in the cache, and packing.

#include "backend/cpu/packed_weights.h"

#include <algorithm>
#include <array>
#include <new>

#include "base/checked.h"
#include "base/hash.h"
#include "plan/cost.h"

namespace edgelm::backend {
namespace {

// Threads share a matrix in pieces of this many panels; the source hash is taken piece by piece, so
// that it does not depend on the number of threads.
constexpr std::size_t kPiece = 64;

// Bytes of each weight in the image; 0 for those that are not packed.
std::vector<std::uint64_t> sizes(const plan::Plan& plan, const kernels::Kernels& kernels) {
  std::vector<std::uint64_t> bytes(plan.weights.size(), 0);
  plan::for_each_matrix(plan, [&](plan::WeightId id) {
    const tensor::TensorView& weight = plan.weights[id];
    if (kernels.panel(weight.type) == nullptr) return;
    const std::uint64_t panels = ceil_div(weight.shape.rows(), std::uint64_t{kernels::kPanelRows});
    bytes[id] = panels * kernels::panel_bytes(weight.type, weight.shape.cols());
  });
  return bytes;
}

std::uint64_t table_hash(const plan::Plan& plan, const std::vector<std::uint64_t>& bytes) {
  Hash64 hash;
  for (std::size_t id = 0; id < bytes.size(); ++id) {
    if (bytes[id] == 0) continue;
    const tensor::TensorView& weight = plan.weights[id];
    hash.update(std::as_bytes(std::span(weight.name)));
    const std::array<std::uint64_t, 4> facts{static_cast<std::uint64_t>(weight.type),
                                             weight.shape.rows(), weight.shape.cols(), bytes[id]};
    hash.update(std::as_bytes(std::span(facts)));
  }
  return hash.digest();
}

}  // namespace

std::uint64_t PackedWeights::bytes_of(const plan::Plan& plan, const kernels::Kernels& kernels) {
  std::uint64_t total = 0;
  for (const std::uint64_t size : sizes(plan, kernels)) total += size;
  return total;
}

PackedWeights::PackedWeights(const plan::Plan& plan, const kernels::Kernels& kernels,
                             threads::ThreadPool& pool, const cache::WeightCache* cache,
                             bool may_build)
    : matrices_(plan.weights.size()) {
  const std::vector<std::uint64_t> bytes = sizes(plan, kernels);
  for (const std::uint64_t size : bytes) bytes_ += size;
  if (bytes_ == 0) return;
  const cache::Key key{plan.source, kernels::kPanelLayoutVersion, table_hash(plan, bytes)};
  if (cache != nullptr) mapped_ = cache->find(key, bytes_);
  if (!mapped_ && !may_build) {
    bytes_ = 0;
    return;
  }
  std::byte* image = nullptr;
  if (!mapped_) {
    auto pages = std::make_shared<os::Pages>(bytes_);
    image = pages->data();
    if (image == nullptr) throw std::bad_alloc();
    built_ = std::shared_ptr<const std::byte>(std::move(pages), image);
  }
  const std::byte* place = mapped_ ? mapped_->bytes().data() : image;
  for (std::size_t id = 0; id < bytes.size(); ++id) {
    if (bytes[id] == 0) continue;
    const tensor::TensorView& weight = plan.weights[id];
    matrices_[id] = {place, kernels::panel_bytes(weight.type, weight.shape.cols())};
    place += bytes[id];
  }
  if (mapped_) return;
  const std::uint64_t source_hash = pack(plan, pool, image);
  if (cache != nullptr) store_ = cache->store(key, plan.source_path, built_, bytes_, source_hash);
}

// Returns a hash of all weights that were packed, as they lie in the file.
std::uint64_t PackedWeights::pack(const plan::Plan& plan, threads::ThreadPool& pool,
                                  std::byte* image) {
  struct Piece {
    plan::WeightId id;
    std::size_t begin, end;  // panels
    std::uint64_t hash;
  };
  std::vector<Piece> pieces;
  for (plan::WeightId id = 0; id < matrices_.size(); ++id) {
    if (matrices_[id].panels == nullptr) continue;
    const std::size_t panels =
        ceil_div<std::size_t>(plan.weights[id].shape.rows(), kernels::kPanelRows);
    pieces.reserve(pieces.size() + panels / kPiece + 1);
    for (std::size_t begin = 0; begin < panels; begin += kPiece)
      pieces.push_back({id, begin, std::min(begin + kPiece, panels), 0});
  }
  auto work = [&](threads::ThreadPool::Member& member) {
    const auto range = member.share(pieces.size());
    for (std::size_t i = range.begin; i < range.end; ++i) {
      Piece& piece = pieces[i];
      const tensor::TensorView& weight = plan.weights[piece.id];
      const std::size_t panel = kernels::kPanelRows * weight.row_bytes();
      const std::size_t end = std::min<std::size_t>(piece.end * panel, weight.data.size());
      const Bytes rows = weight.data.subspan(piece.begin * panel, end - piece.begin * panel);
      piece.hash = hash64(rows);
      kernels::pack_panels(weight.type, weight.data.data(), weight.shape.rows(),
                           weight.shape.cols(), piece.begin, piece.end,
                           image + (matrices_[piece.id].panels - built_.get()));
      if (!plan.source.empty()) os::release_file_pages(rows);
    }
  };
  pool.run(pool.size(), work);
  Hash64 hash;
  for (const Piece& piece : pieces) hash.update(std::as_bytes(std::span(&piece.hash, 1)));
  return hash.digest();
}

}  // namespace edgelm::backend
