// Setup of buffers and KV blocks, the checks of a batch, and the step itself.

#include "backend/cpu/cpu_executor.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "os/clock.h"

namespace edgelm::backend {

namespace {

// Whether the tokens with logits are others than the first ones.
bool moves_rows(const Batch& batch) {
  return !batch.logit_tokens.empty() &&
         batch.logit_tokens.back() + 1 != batch.logit_tokens.size();  // they ascend
}

}  // namespace

CpuExecutor::CpuExecutor(CpuBackend& backend, const plan::Plan& plan,
                         std::shared_ptr<const PackedWeights> packed, const plan::Limits& limits,
                         const plan::Memory& memory)
    : backend_(backend),
      kernels_(backend.kernels()),
      plan_(plan),
      packed_(std::move(packed)),
      limits_(limits),
      memory_(memory),
      n_kv_blocks_(ceil_div(limits_.context_tokens, limits_.kv_block_tokens)),
      attention_(plan_, limits_) {
  for (const plan::Buffer& spec : plan_.buffers) {
    const std::size_t rows = spec.per_logit_row ? limits_.logit_rows : limits_.batch_tokens;
    buffers_.emplace_back(rows * spec.width);
  }
  for (const tensor::TensorView& weight : plan_.weights) {
    // Norms, biases and factors: one row of F32. Matrices keep an empty entry.
    const bool is_vector = weight.shape.rows() == 1 && weight.type == tensor::DType::kF32;
    AlignedArray<float> copy(is_vector ? weight.shape.cols() : 0);
    if (is_vector) std::memcpy(copy.data(), weight.data.data(), weight.data.size());
    vectors_.push_back(std::move(copy));
    input_stride_ = std::max<std::size_t>(input_stride_, weight.shape.cols());
  }
  input_stride_ = ceil_div<std::size_t>(input_stride_, 64) * 64;
  const std::size_t input_rows = std::max(limits_.batch_tokens, limits_.n_threads);
  input_f32_ = AlignedArray<float>(input_rows * input_stride_);
  input_q_ = AlignedArray<std::int8_t>(input_rows * input_stride_);
  input_scale_ = AlignedArray<float>(input_rows * input_stride_ / kernels::kGroup);
  input_sum_ = AlignedArray<float>(input_rows * input_stride_ / kernels::kGroup);
  if (kernels_.panel_bias != nullptr)
    input_bias_ = AlignedArray<std::int16_t>(input_rows * input_stride_ / 8);
  if (kernels_.panel_wide != nullptr)
    input_wide_ = AlignedArray<std::int16_t>(input_rows * input_stride_);

  for (const plan::KvLayer& layer : plan_.kv_layers) add_kv_layer(layer);
  kv_ = AlignedArray<std::byte>(n_kv_blocks_ * kv_block_bytes_);
  // Shared prefixes may put one block into several sequences. Each of these may want its logits.
  first_block_.resize(std::max(1U, limits_.logit_rows));
  block_pointers_.resize(n_kv_blocks_ * first_block_.size());

  for (const plan::Op& operation : plan_.ops)
    if (const auto* store = std::get_if<plan::StoreKv>(&operation)) add_rope_table(*store);
}

Status CpuExecutor::check(const Batch& batch) const {
  const std::size_t n = batch.ids.size();
  if (n == 0 || n > limits_.batch_tokens)
    return fail(ErrorCode::kLimit, "batch of {} tokens, expected 1 to {}", n, limits_.batch_tokens);
  if (batch.positions.size() != n || batch.sequence_of.size() != n)
    return fail(ErrorCode::kInternal, "batch of {} tokens has {} positions and {} sequence indices",
                n, batch.positions.size(), batch.sequence_of.size());
  if (batch.sequences.size() > first_block_.size())
    return fail(ErrorCode::kLimit, "batch of {} sequences, expected at most {}",
                batch.sequences.size(), first_block_.size());
  if (batch.logit_tokens.size() > limits_.logit_rows)
    return fail(ErrorCode::kLimit, "logits of {} tokens asked for, expected at most {}",
                batch.logit_tokens.size(), limits_.logit_rows);
  for (const std::uint32_t token : batch.logit_tokens)
    if (token >= n)
      return fail(ErrorCode::kInternal, "logits of token {} of a batch of {}", token, n);
  for (std::size_t i = 1; i < batch.logit_tokens.size(); ++i)
    if (batch.logit_tokens[i] <= batch.logit_tokens[i - 1])
      return fail(ErrorCode::kInternal, "logits of token {} asked for after those of token {}",
                  batch.logit_tokens[i], batch.logit_tokens[i - 1]);
  for (const SequenceView& sequence : batch.sequences) {
    if (sequence.blocks.size() > n_kv_blocks_)
      return fail(ErrorCode::kInternal, "sequence of {} KV blocks, there are {}",
                  sequence.blocks.size(), n_kv_blocks_);
    for (const std::uint32_t block : sequence.blocks)
      if (block >= n_kv_blocks_)
        return fail(ErrorCode::kInternal, "KV block {} of {}", block, n_kv_blocks_);
  }
  for (std::size_t t = 0; t < n; ++t) {
    if (batch.ids[t] < 0 || static_cast<std::uint32_t>(batch.ids[t]) >= plan_.n_vocab)
      return fail(ErrorCode::kLimit, "token id {} is outside the vocabulary of {}", batch.ids[t],
                  plan_.n_vocab);
    if (batch.sequence_of[t] >= batch.sequences.size())
      return fail(ErrorCode::kInternal, "token of sequence {} in a batch of {}",
                  batch.sequence_of[t], batch.sequences.size());
    const std::size_t blocks = batch.sequences[batch.sequence_of[t]].blocks.size();
    if (batch.positions[t] >= blocks * limits_.kv_block_tokens)
      return fail(ErrorCode::kLimit, "position {} is beyond the {} KV blocks of its sequence",
                  batch.positions[t], blocks);
  }
  return {};
}

Status CpuExecutor::run(const Batch& batch) {
  EDGELM_TRY(check(batch));
  std::size_t n_pointers = 0;
  for (std::size_t s = 0; s < batch.sequences.size(); ++s) {
    first_block_[s] = n_pointers;
    for (const std::uint32_t block : batch.sequences[s].blocks)
      block_pointers_[n_pointers++] = kv_.data() + block * kv_block_bytes_;
  }
  const Step step{&batch, batch.ids.size()};
  // One token per sequence is decoding: bound by memory, often fastest on fewer threads.
  const bool decoding = step.n_tokens <= batch.sequences.size();
  auto work = [&](Member& member) { run_ops(step, member); };
  if (decoding) {
    const std::int64_t start = os::now_ns();
    attention_.plan_step(batch, backend_.decode_threads());
    backend_.pool().run(backend_.decode_threads(), work);
    backend_.record_decode_step(os::now_ns() - start);
  } else {
    attention_.plan_step(batch, backend_.prefill_threads());
    backend_.pool().run(backend_.prefill_threads(), work);
  }
  return {};
}

void CpuExecutor::run_ops(Step step, Member& member) {
  fill_rope_tables(step, member);
  for (const plan::Op& operation : plan_.ops) {
    if (const auto* keep = std::get_if<plan::KeepLogitTokens>(&operation);
        keep != nullptr && !moves_rows(*step.batch)) {
      step.n_tokens = step.batch->logit_tokens.size();  // nothing moves: nothing to wait for
      if (step.n_tokens == 0) return;
      continue;
    }
    std::visit([&](const auto& concrete) { op(concrete, step, member); }, operation);
    member.barrier();
    if (step.n_tokens == 0) return;
  }
}

std::span<const float> CpuExecutor::logits(std::uint32_t row) const {
  if (!plan_.logits || row >= limits_.logit_rows) return {};
  const std::size_t n = plan_.n_vocab;
  return {buffers_[*plan_.logits].data() + row * n, n};
}

const float* CpuExecutor::floats(plan::WeightId id) const { return vectors_[id].data(); }

void CpuExecutor::op(const plan::Embed& embed, const Step& step, Member& member) {
  const tensor::TensorView& table = plan_.weights[embed.table];
  const tensor::DTypeInfo& info = tensor::dtype_info(table.type);
  const std::size_t n = table.shape.cols();
  const auto range = member.share(step.n_tokens);
  for (std::size_t t = range.begin; t < range.end; ++t)
    info.dequantize(table.row(static_cast<std::uint64_t>(step.batch->ids[t])), n,
                    buffer(embed.out) + t * width(embed.out));
}

// Every member moves its share of the columns of all rows. Rows only move forward, so none is
// overwritten before it has moved.
void CpuExecutor::op(const plan::KeepLogitTokens& keep, Step& step, Member& member) {
  const std::span<const std::uint32_t> tokens = step.batch->logit_tokens;
  for (const plan::BufferId id : keep.buffers) {
    const std::size_t n = width(id);
    const auto columns = member.share(n, 16);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const float* row = buffer(id) + tokens[i] * n;
      if (tokens[i] != i)
        std::copy(row + columns.begin, row + columns.end, buffer(id) + i * n + columns.begin);
    }
  }
  step.n_tokens = tokens.size();
}

}  // namespace edgelm::backend
