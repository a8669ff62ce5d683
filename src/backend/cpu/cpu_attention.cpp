// Rotation of queries and keys, the write into KV blocks, and attention over them.

#include <algorithm>
#include <cmath>

#include "backend/cpu/cpu_executor.h"
#include "kernels/attention/store.h"

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

void CpuExecutor::add_kv_layer(const plan::KvLayer& layer) {
  const bool f16 = limits_.kv_type == plan::KvType::kF16;
  const kernels::KvLayout layout = (f16 ? kernels::kv_layout_f16 : kernels::kv_layout_q8_0)(
      limits_.kv_block_tokens, layer.k_dim, layer.v_dim);
  kv_places_.push_back({kv_block_bytes_, layout});
  kv_block_bytes_ += layer.n_kv_heads * layout.bytes;
}

void CpuExecutor::op(const plan::StoreKv& store, const Step& step, Member& member) {
  const plan::AttentionShape& shape = store.shape;
  const RopeTable& table = rope_table(store.rope);
  const std::size_t pairs = store.rope.n_rot / 2;
  const auto range = member.share(step.n_tokens);
  for (std::size_t t = range.begin; t < range.end; ++t) {
    const float* cos = table.cos.data() + t * pairs;
    const float* sin = table.sin.data() + t * pairs;
    float* q = buffer(store.q) + t * width(store.q);
    for (std::size_t head = 0; head < shape.n_heads; ++head, q += shape.k_dim) {
      if (store.q_norm) kernels_.rms_norm(q, floats(*store.q_norm), shape.k_dim, store.epsilon, q);
      rotate(q, store.rope, cos, sin);
    }
    float* k = buffer(store.k) + t * width(store.k);
    for (std::size_t head = 0; head < shape.n_kv_heads; ++head, k += shape.k_dim) {
      if (store.k_norm) kernels_.rms_norm(k, floats(*store.k_norm), shape.k_dim, store.epsilon, k);
      rotate(k, store.rope, cos, sin);
    }
  }
  for (std::size_t t = range.begin; t < range.end;)
    t += store_run(store, *step.batch, t, range.end);
}

// Writes the tokens from `first` on that share a block, and returns how many they were.
std::size_t CpuExecutor::store_run(const plan::StoreKv& store, const Batch& batch,
                                   std::size_t first, std::size_t end) {
  const plan::AttentionShape& shape = store.shape;
  const std::size_t block_tokens = limits_.kv_block_tokens;
  const std::size_t position = batch.positions[first];
  const std::size_t sequence = batch.sequence_of[first];
  const KvPlace& place = kv_places_[store.layer - plan_.first_layer];
  kernels::KvStoreArgs args;
  args.layout = place.layout;
  args.block_tokens = block_tokens;
  args.slot = position % block_tokens;
  args.k_dim = shape.k_dim;
  args.v_dim = shape.v_dim;
  args.k_stride = width(store.k);
  args.v_stride = width(store.v);
  const std::size_t most =
      std::min({end - first, block_tokens - args.slot, std::size_t{kernels::kKvStoreTokens}});
  args.n_tokens = 1;
  while (args.n_tokens < most && batch.sequence_of[first + args.n_tokens] == sequence &&
         batch.positions[first + args.n_tokens] == position + args.n_tokens)
    ++args.n_tokens;
  std::byte* const block =
      kv_.data() + batch.sequences[sequence].blocks[position / block_tokens] * kv_block_bytes_;
  const bool f16 = limits_.kv_type == plan::KvType::kF16;
  for (std::size_t head = 0; head < shape.n_kv_heads; ++head) {
    args.head = block + place.offset + head * place.layout.bytes;
    args.k = buffer(store.k) + first * args.k_stride + head * shape.k_dim;
    args.v = buffer(store.v) + first * args.v_stride + head * shape.v_dim;
    (f16 ? kernels::store_kv_f16 : kernels::store_kv_q8_0)(kernels_, args);
  }
  return args.n_tokens;
}

// Arguments for one block of queries and one KV head; `q` receives the scaled queries.
kernels::AttentionArgs CpuExecutor::attention_args(const plan::Attend& attend, const Batch& batch,
                                                   const AttentionWork::QueryBlock& block,
                                                   std::size_t kv_head, float* q) {
  const plan::AttentionShape& shape = attend.shape;
  const std::size_t group = shape.n_heads / shape.n_kv_heads;
  const KvPlace& place = kv_places_[attend.layer - plan_.first_layer];
  kernels::AttentionArgs args;
  args.kv.blocks = block_pointers_.data() + first_block_[batch.sequence_of[block.first_token]];
  args.kv.block_tokens = limits_.kv_block_tokens;
  args.kv.offset = place.offset + kv_head * place.layout.bytes;
  args.kv.layout = place.layout;
  args.kv.k_dim = shape.k_dim;
  args.kv.v_dim = shape.v_dim;
  args.q = q;
  args.n_rows = block.n_tokens * group;
  args.rows_per_token = group;
  args.positions = batch.positions.data() + block.first_token;
  for (std::size_t t = 0; t < block.n_tokens; ++t) {
    const float* from = buffer(attend.q) + (block.first_token + t) * width(attend.q) +
                        kv_head * group * shape.k_dim;
    for (std::size_t i = 0; i < group * shape.k_dim; ++i) *q++ = from[i] * attend.scale;
  }
  return args;
}

void CpuExecutor::finish_attention(const plan::Attend& attend,
                                   const AttentionWork::QueryBlock& block, std::size_t kv_head,
                                   const kernels::AttentionPartial& whole) {
  const std::size_t group = attend.shape.n_heads / attend.shape.n_kv_heads;
  for (std::size_t row = 0; row < block.n_tokens * group; ++row)
    kernels::finish_row(whole, row, attend.shape.v_dim,
                        buffer(attend.out) + (block.first_token + row / group) * width(attend.out) +
                            (kv_head * group + row % group) * attend.shape.v_dim);
}

void CpuExecutor::op(const plan::Attend& attend, const Step& step, Member& member) {
  if (attention_.by_span()) return attend_by_span(attend, step, member);
  const kernels::AttentionFn attention = attention_kernel();
  const AttentionWork::Scratch scratch = attention_.scratch(member.index());
  const std::size_t n_heads = attend.shape.n_kv_heads;
  const std::size_t n_items = attention_.blocks().size() * n_heads;
  // Later tokens see more positions: dearest first, dealt out in turn, to and fro.
  for (std::size_t round = 0; round * member.count() < n_items; ++round) {
    const std::size_t place = round % 2 == 0 ? member.index() : member.count() - 1 - member.index();
    const std::size_t item = round * member.count() + place;
    if (item >= n_items) continue;
    const AttentionWork::QueryBlock& block =
        attention_.blocks()[attention_.blocks().size() - 1 - item / n_heads];
    const std::size_t head = item % n_heads;
    kernels::AttentionArgs args = attention_args(attend, *step.batch, block, head, scratch.q);
    args.scratch = scratch.tile;
    for (std::size_t span = 0; span < block.n_spans; ++span) {
      args.begin = span * kernels::kAttentionSpan;
      args.end = std::min<std::size_t>(args.begin + kernels::kAttentionSpan, block.n_positions);
      args.partial = span == 0 ? scratch.merged : scratch.span;
      attention(args);
      if (span > 0)
        kernels::merge_partials(args.n_rows, attend.shape.v_dim, scratch.span, scratch.merged);
    }
    finish_attention(attend, block, head, scratch.merged);
  }
}

// Few tokens that see long sequences: spans are shared out too, and merged behind a barrier.
void CpuExecutor::attend_by_span(const plan::Attend& attend, const Step& step, Member& member) {
  const kernels::AttentionFn attention = attention_kernel();
  const AttentionWork::Scratch scratch = attention_.scratch(member.index());
  const std::size_t n_heads = attend.shape.n_kv_heads;
  const std::size_t group = attend.shape.n_heads / n_heads;
  std::size_t item = 0;
  for (const AttentionWork::QueryBlock& block : attention_.blocks()) {
    for (std::size_t span = 0; span < block.n_spans; ++span) {
      for (std::size_t head = 0; head < n_heads; ++head, ++item) {
        if (item % member.count() != member.index()) continue;
        kernels::AttentionArgs args = attention_args(attend, *step.batch, block, head, scratch.q);
        args.scratch = scratch.tile;
        args.begin = span * kernels::kAttentionSpan;
        args.end = std::min<std::size_t>(args.begin + kernels::kAttentionSpan, block.n_positions);
        args.partial = attention_.shared(block, head, group, span);
        attention(args);
      }
    }
  }
  member.barrier();
  item = 0;
  for (const AttentionWork::QueryBlock& block : attention_.blocks()) {
    for (std::size_t head = 0; head < n_heads; ++head, ++item) {
      if (item % member.count() != member.index()) continue;
      const kernels::AttentionPartial whole = attention_.shared(block, head, group, 0);
      for (std::size_t span = 1; span < block.n_spans; ++span)
        kernels::merge_partials(block.n_tokens * group, attend.shape.v_dim,
                                attention_.shared(block, head, group, span), whole);
      finish_attention(attend, block, head, whole);
    }
  }
}

}  // namespace edgelm::backend
