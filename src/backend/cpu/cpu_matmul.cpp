// Matrix products: prepare the input once (normalise, quantize), then every thread takes a share of
// the output rows.

#include "backend/cpu/cpu_executor.h"

namespace edgelm::backend {
namespace {

// Output rows are shared out in pieces of this: whole tiles of every kernel, some microseconds of
// work. Threads that find their share done take pieces from slower ones: one that is interrupted,
// or gets less of the memory's bandwidth, holds nobody up for long.
constexpr std::size_t kRowGrain = 32;

}  // namespace

void CpuExecutor::Forms::add(const CpuExecutor& executor, plan::WeightId weight) {
  const tensor::DType type = executor.plan_.weights[weight].type;
  if (!tensor::dtype_info(type).quantized) return;
  quantized = true;
  if (!executor.packed(weight)) return;
  const kernels::PanelWants more = executor.kernels_.panel_wants(type);
  wants.bias |= more.bias;
  wants.wide |= more.wide;
}

bool CpuExecutor::packed(plan::WeightId weight) const {
  return packed_ != nullptr && (*packed_)[weight].panels != nullptr;
}

CpuExecutor::Input CpuExecutor::prepare(plan::BufferId buffer_id, const plan::WeightId* norm,
                                        float epsilon, const Forms& forms, const Step& step,
                                        Member& member) {
  const bool quantize = forms.quantized;
  const kernels::PanelWants& wants = forms.wants;
  const std::size_t n = width(buffer_id);
  const std::size_t n_rows = step.n_tokens;
  const std::size_t groups = input_stride_ / kernels::kGroup;
  // A single row is prepared by every thread for itself: cheaper than a barrier.
  const bool alone = n_rows == 1;
  const std::size_t first = alone ? member.index() : 0;
  const auto range = alone ? Member::Range{0, 1} : member.share(n_rows);
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const float* row = buffer(buffer_id) + i * n;
    const std::size_t place = first + i;
    float* target = input_f32_.data() + place * input_stride_;
    if (norm != nullptr) {
      kernels_.rms_norm(row, floats(*norm), n, epsilon, target);
      row = target;
    } else if (!quantize) {
      std::copy(row, row + n, target);
    }
    if (!quantize) continue;
    std::int8_t* const q = input_q_.data() + place * input_stride_;
    kernels_.quantize(row, n, q, input_scale_.data() + place * groups,
                      input_sum_.data() + place * groups);
    if (wants.bias) kernels_.panel_bias(q, n, input_bias_.data() + place * 4 * groups);
    if (wants.wide && n_rows > kernels::kFewTokens)
      kernels_.panel_wide(q, n, input_wide_.data() + place * input_stride_);
  }
  if (!alone) member.barrier();
  return {{.f32 = input_f32_.data() + first * input_stride_,
           .f32_stride = input_stride_,
           .q = input_q_.data() + first * input_stride_,
           .q_stride = input_stride_,
           .scale = input_scale_.data() + first * groups,
           .scaled_sum = input_sum_.data() + first * groups,
           .scale_stride = groups,
           .bias = kernels::moved(input_bias_.data(), first * 4 * groups),
           .wide = kernels::moved(input_wide_.data(), first * input_stride_)},
          n_rows};
}

void CpuExecutor::multiply(const Input& input, plan::WeightId weight, std::size_t row_begin,
                           std::size_t row_end, float* out, std::size_t out_stride,
                           bool accumulate) {
  if (row_begin == row_end || input.rows == 0) return;
  const tensor::TensorView& matrix = plan_.weights[weight];
  if (packed(weight)) {
    const PackedWeights::Matrix& packed = (*packed_)[weight];
    kernels_.panel(matrix.type)({.panels = packed.panels,
                                 .panel_bytes = packed.panel_bytes,
                                 .cols = matrix.shape.cols(),
                                 .row_begin = row_begin,
                                 .row_end = row_end,
                                 .x = input.activations,
                                 .n_tokens = input.rows,
                                 .out = out,
                                 .out_stride = out_stride,
                                 .accumulate = accumulate});
    return;
  }
  kernels::MatmulArgs args;
  args.weights = matrix.data.data();
  args.row_bytes = matrix.row_bytes();
  args.cols = matrix.shape.cols();
  args.row_begin = row_begin;
  args.row_end = row_end;
  args.x = input.activations;
  args.n_tokens = input.rows;
  args.out = out;
  args.out_stride = out_stride;
  args.accumulate = accumulate;
  kernels_.matmul(matrix.type)(args);
}

void CpuExecutor::add_bias(std::size_t n_rows, plan::WeightId bias, std::size_t begin,
                           std::size_t end, float* out, std::size_t out_stride) {
  for (std::size_t i = 0; i < n_rows; ++i)
    kernels_.add(out + i * out_stride + begin, floats(bias) + begin, end - begin);
}

void CpuExecutor::op(const plan::NormProject& project, const Step& step, Member& member) {
  Forms forms;
  for (const plan::Projection& projection : project.projections)
    forms.add(*this, projection.weight);
  const Input input = prepare(project.in, &project.norm, project.epsilon, forms, step, member);
  for (const plan::Projection& projection : project.projections) {
    float* out = buffer(projection.out);
    const std::size_t stride = width(projection.out);
    const auto rows = [&](std::size_t begin, std::size_t end) {
      multiply(input, projection.weight, begin, end, out, stride, false);
      if (projection.bias) add_bias(input.rows, *projection.bias, begin, end, out, stride);
    };
    member.share_out(plan_.weights[projection.weight].shape.rows(), kRowGrain, rows);
  }
}

void CpuExecutor::op(const plan::ProjectAdd& project, const Step& step, Member& member) {
  Forms forms;
  forms.add(*this, project.weight);
  const Input input = prepare(project.in, nullptr, 0, forms, step, member);
  float* out = buffer(project.residual);
  const std::size_t stride = width(project.residual);
  const auto rows = [&](std::size_t begin, std::size_t end) {
    multiply(input, project.weight, begin, end, out, stride, true);
    if (project.bias) add_bias(input.rows, *project.bias, begin, end, out, stride);
  };
  member.share_out(plan_.weights[project.weight].shape.rows(), kRowGrain, rows);
}

void CpuExecutor::op(const plan::GatedFfn& ffn, const Step& step, Member& member) {
  Forms forms;
  forms.add(*this, ffn.gate);
  forms.add(*this, ffn.up);
  const Input input = prepare(ffn.in, &ffn.norm, ffn.epsilon, forms, step, member);
  const std::size_t stride = width(ffn.out);
  float* gate = buffer(ffn.out);
  float* up = buffer(ffn.gate_scratch);
  // The same columns of both products and their activation in one piece: no barrier between.
  const auto rows = [&](std::size_t begin, std::size_t end) {
    multiply(input, ffn.gate, begin, end, gate, stride, false);
    multiply(input, ffn.up, begin, end, up, stride, false);
    for (std::size_t t = 0; t < input.rows; ++t) {
      float* row = gate + t * stride + begin;
      kernels_.silu_mul(row, up + t * stride + begin, end - begin, row);
    }
  };
  member.share_out(plan_.weights[ffn.gate].shape.rows(), kRowGrain, rows);
}

}  // namespace edgelm::backend
