#pragma once
// One compiled plan on the CPU: buffers, KV blocks, and the operations, run by all threads together
// with a barrier after each stage. Split over three files: setup and the step (cpu_executor.cpp),
// matrix products (cpu_matmul.cpp), rotation and attention (cpu_attention.cpp).

#include <cstdint>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu/aligned.h"
#include "backend/cpu/attention_work.h"
#include "backend/cpu/cpu_backend.h"

namespace edgelm::backend {

class CpuExecutor final : public Executor {
 public:
  // `packed` may be nullptr: all weights are used as they lie in the file.
  CpuExecutor(CpuBackend& backend, const plan::Plan& plan,
              std::shared_ptr<const PackedWeights> packed, const plan::Limits& limits,
              const plan::Memory& memory);

  Status run(const Batch& batch) override;
  [[nodiscard]] std::span<const float> logits(std::uint32_t row) const override;
  [[nodiscard]] const plan::Limits& limits() const override { return limits_; }
  [[nodiscard]] std::uint32_t n_kv_blocks() const override { return n_kv_blocks_; }
  [[nodiscard]] const plan::Memory& memory() const override { return memory_; }

 private:
  using Member = threads::ThreadPool::Member;

  // What the operations of one step see.
  struct Step {
    const Batch* batch;
    std::size_t n_tokens;  // rows of the buffers that count; fewer after KeepLogitTokens
  };

  struct KvPlace {  // of a layer's first head in a block, and how its heads lie
    std::size_t offset = 0;
    kernels::KvLayout layout;
  };

  // cos and sin for every (token of the batch, pair); shared by the layers with equal rotation.
  struct RopeTable {
    plan::Rope rope;
    std::vector<double> inverse_frequency;  // (n_rot / 2)
    AlignedArray<float> cos;                // (batch_tokens, n_rot / 2)
    AlignedArray<float> sin;
  };

  Status check(const Batch& batch) const;
  void run_ops(Step step, Member& member);

  // One overload per operation of the plan; every member calls it, it ends with its work visible
  // to the caller after the next barrier.
  void op(const plan::Embed& embed, const Step& step, Member& member);
  void op(const plan::NormProject& project, const Step& step, Member& member);
  void op(const plan::StoreKv& store, const Step& step, Member& member);
  void op(const plan::Attend& attend, const Step& step, Member& member);
  void op(const plan::KeepLogitTokens& keep, Step& step, Member& member);
  void op(const plan::ProjectAdd& project, const Step& step, Member& member);
  void op(const plan::GatedFfn& ffn, const Step& step, Member& member);

  // cpu_matmul.cpp
  struct Input {  // a prepared input of a matrix product
    kernels::Activations activations;
    std::size_t rows = 0;
  };
  struct Forms {  // in which the matrices that share an input want it, beside float32
    bool quantized = false;
    kernels::PanelWants wants;
    void add(const CpuExecutor& executor, plan::WeightId weight);
  };
  Input prepare(plan::BufferId buffer, const plan::WeightId* norm, float epsilon,
                const Forms& forms, const Step& step, Member& member);
  void multiply(const Input& input, plan::WeightId weight, std::size_t row_begin,
                std::size_t row_end, float* out, std::size_t out_stride, bool accumulate);
  void add_bias(std::size_t n_rows, plan::WeightId bias, std::size_t begin, std::size_t end,
                float* out, std::size_t out_stride);
  [[nodiscard]] bool packed(plan::WeightId weight) const;

  // cpu_attention.cpp
  void add_rope_table(const plan::StoreKv& store);
  [[nodiscard]] const RopeTable& rope_table(const plan::Rope& rope) const;
  void fill_rope_tables(const Step& step, Member& member);
  void rotate(float* head, const plan::Rope& rope, const float* cos, const float* sin) const;
  void add_kv_layer(const plan::KvLayer& layer);
  std::size_t store_run(const plan::StoreKv& store, const Batch& batch, std::size_t first,
                        std::size_t end);
  kernels::AttentionArgs attention_args(const plan::Attend& attend, const Batch& batch,
                                        const AttentionWork::QueryBlock& block, std::size_t kv_head,
                                        float* q);
  void attend_by_span(const plan::Attend& attend, const Step& step, Member& member);
  void finish_attention(const plan::Attend& attend, const AttentionWork::QueryBlock& block,
                        std::size_t kv_head, const kernels::AttentionPartial& whole);
  [[nodiscard]] kernels::AttentionFn attention_kernel() const {
    return limits_.kv_type == plan::KvType::kF16 ? kernels_.attention_f16 : kernels_.attention_q8_0;
  }

  float* buffer(plan::BufferId id) { return buffers_[id].data(); }
  [[nodiscard]] std::size_t width(plan::BufferId id) const { return plan_.buffers[id].width; }
  [[nodiscard]] const float* floats(plan::WeightId id) const;  // an F32 weight, aligned

  CpuBackend& backend_;
  const kernels::Kernels& kernels_;
  plan::Plan plan_;
  std::shared_ptr<const PackedWeights> packed_;
  plan::Limits limits_;
  plan::Memory memory_;

  std::vector<AlignedArray<float>> buffers_;
  // The prepared input of the current matrix products.
  std::size_t input_stride_ = 0;
  AlignedArray<float> input_f32_;
  AlignedArray<std::int8_t> input_q_;
  AlignedArray<float> input_scale_;
  AlignedArray<float> input_sum_;
  AlignedArray<std::int16_t> input_bias_;
  AlignedArray<std::int16_t> input_wide_;
  // F32 vectors (norms, biases) copied out of the file, where they may lie unaligned.
  std::vector<AlignedArray<float>> vectors_;

  std::uint32_t n_kv_blocks_;
  std::size_t kv_block_bytes_ = 0;
  AlignedArray<std::byte> kv_;
  std::vector<KvPlace> kv_places_;                // per layer
  std::vector<const std::byte*> block_pointers_;  // of all sequences of the step
  std::vector<std::size_t> first_block_;          // per sequence, into block_pointers_

  std::vector<RopeTable> rope_tables_;
  AttentionWork attention_;
};

}  // namespace edgelm::backend
