// Rotation of queries and keys, the write into KV blocks, and attention over them.

#include <cmath>

#include "backend/cpu/cpu_executor.h"

namespace edgelm::backend {
namespace {

bool same_rotation(const plan::Rope& a, const plan::Rope& b) {
  return a.n_rot == b.n_rot && a.base == b.base && a.scale == b.scale && a.factors == b.factors;
}

}  // namespace

void CpuExecutor::add_rope_table(const plan::StoreKv& store) {
  const plan::Rope& rope = store.rope;
  for (const RopeTable& table : rope_tables_)
    if (same_rotation(table.rope, rope)) return;
  RopeTable table;
  table.rope = rope;
  const std::size_t pairs = rope.n_rot / 2;
  // Frequency of pair i: base^(-2i / n_rot), divided by its factor (Su et al. 2021, RoFormer).
  for (std::size_t i = 0; i < pairs; ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / rope.n_rot;
    const double factor = rope.factors ? static_cast<double>(floats(*rope.factors)[i]) : 1.0;
    table.inverse_frequency.push_back(std::pow(static_cast<double>(rope.base), exponent) *
                                      static_cast<double>(rope.scale) / factor);
  }
  table.cos = AlignedArray<float>(limits_.batch_tokens * pairs);
  table.sin = AlignedArray<float>(limits_.batch_tokens * pairs);
  rope_tables_.push_back(std::move(table));
}

const CpuExecutor::RopeTable& CpuExecutor::rope_table(const plan::Rope& rope) const {
  for (const RopeTable& table : rope_tables_)
    if (same_rotation(table.rope, rope)) return table;
  return rope_tables_.front();  // not reached: every StoreKv added its table
}

void CpuExecutor::fill_rope_tables(const Step& step, Member& member) {
  const auto range = member.share(step.n_tokens);
  for (RopeTable& table : rope_tables_) {
    const std::size_t pairs = table.inverse_frequency.size();
    for (std::size_t t = range.begin; t < range.end; ++t) {
      const double position = step.batch->positions[t];
      for (std::size_t i = 0; i < pairs; ++i) {
        const double angle = position * table.inverse_frequency[i];
        table.cos[t * pairs + i] = static_cast<float>(std::cos(angle));
        table.sin[t * pairs + i] = static_cast<float>(std::sin(angle));
      }
    }
  }
}

void CpuExecutor::rotate(float* head, const plan::Rope& rope, const float* cos,
                         const float* sin) const {
  if (rope.layout == plan::RopeLayout::kInterleaved)
    kernels_.rope_interleaved(head, rope.n_rot, cos, sin);
  else
    kernels_.rope_half(head, rope.n_rot, cos, sin);
}

void CpuExecutor::op(const plan::StoreKv& store, const Step& step, Member& member) {
  const plan::AttentionShape& shape = store.shape;
  const RopeTable& table = rope_table(store.rope);
  const std::size_t pairs = store.rope.n_rot / 2;
  const std::size_t block_tokens = limits_.kv_block_tokens;
  const KvOffsets& offsets = kv_offsets_[store.layer - plan_.first_layer];
  const auto range = member.share(step.n_tokens);
  for (std::size_t t = range.begin; t < range.end; ++t) {
    const float* cos = table.cos.data() + t * pairs;
    const float* sin = table.sin.data() + t * pairs;
    float* q = buffer(store.q) + t * width(store.q);
    for (std::size_t head = 0; head < shape.n_heads; ++head, q += shape.k_dim) {
      if (store.q_norm) kernels_.rms_norm(q, floats(*store.q_norm), shape.k_dim, store.epsilon, q);
      rotate(q, store.rope, cos, sin);
    }
    const std::uint32_t position = step.batch->positions[t];
    const std::uint32_t sequence = step.batch->sequence_of[t];
    const std::uint32_t block_id = step.batch->sequences[sequence].blocks[position / block_tokens];
    const std::size_t slot = position % block_tokens;
    std::uint16_t* block = kv_block(block_id);
    float* k = buffer(store.k) + t * width(store.k);
    const float* v = buffer(store.v) + t * width(store.v);
    for (std::size_t head = 0; head < shape.n_kv_heads; ++head) {
      if (store.k_norm) kernels_.rms_norm(k, floats(*store.k_norm), shape.k_dim, store.epsilon, k);
      rotate(k, store.rope, cos, sin);
      const std::size_t row = head * block_tokens + slot;
      kernels_.to_half(k, shape.k_dim, block + offsets.k + row * shape.k_dim);
      kernels_.to_half(v, shape.v_dim, block + offsets.v + row * shape.v_dim);
      k += shape.k_dim;
      v += shape.v_dim;
    }
  }
}

void CpuExecutor::op(const plan::Attend& attend, const Step& step, Member& member) {
  const plan::AttentionShape& shape = attend.shape;
  const std::size_t group = shape.n_heads / shape.n_kv_heads;
  const KvOffsets& offsets = kv_offsets_[attend.layer - plan_.first_layer];
  kernels::AttentionArgs args;
  args.n_heads = group;
  args.k_dim = shape.k_dim;
  args.v_dim = shape.v_dim;
  args.block_tokens = limits_.kv_block_tokens;
  args.scale = attend.scale;
  args.scores = scores_.data() + member.index() * scores_per_thread_;
  args.score_stride = score_stride_;
  // Round-robin over (token, KV head): later tokens see more positions, so halves would not do.
  const std::size_t n_items = step.n_tokens * shape.n_kv_heads;
  for (std::size_t item = member.index(); item < n_items; item += member.count()) {
    const std::size_t t = item / shape.n_kv_heads;
    const std::size_t head = item % shape.n_kv_heads;
    args.q = buffer(attend.q) + t * width(attend.q) + head * group * shape.k_dim;
    args.out = buffer(attend.out) + t * width(attend.out) + head * group * shape.v_dim;
    args.blocks = block_pointers_.data() + first_block_[step.batch->sequence_of[t]];
    args.k_offset = offsets.k + head * args.block_tokens * shape.k_dim;
    args.v_offset = offsets.v + head * args.block_tokens * shape.v_dim;
    args.n_positions = step.batch->positions[t] + 1;
    kernels_.attention(args);
  }
}

}  // namespace edgelm::backend
