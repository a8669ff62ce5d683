#pragma once
// A panel matmul with everything that its contract tests need: a MatmulProblem whose weights are
// packed too, all inputs against guard pages, and weights at the extremes of what int16 sums hold.

#include <vector>

#include "kernels/kernels.h"
#include "os/cpu.h"
#include "support/isa.h"
#include "support/matmul_problem.h"

namespace edgelm::test {

// The functions of one instruction set, named without its table.
struct PanelSet {
  std::string_view name;
  kernels::PanelFn (*panel)(tensor::DType type);
  kernels::PanelWants (*wants)(tensor::DType type);
  void (*bias)(const std::int8_t* q, std::size_t n, std::int16_t* bias);  // or nullptr
  void (*wide)(const std::int8_t* q, std::size_t n, std::int16_t* wide);  // or nullptr
};

inline kernels::PanelWants wants_nothing(tensor::DType) { return {}; }

// All that this build has and this processor runs, the specification left out.
inline std::vector<PanelSet> panel_sets() {
  std::vector<PanelSet> sets;
  [[maybe_unused]] const os::CpuFeatures& cpu = os::cpu_features();
#ifdef EDGELM_X86
  if (cpu.avx2 && cpu.fma && cpu.f16c)
    sets.push_back({"avx2", kernels::panel_avx2, kernels::panel_wants_avx2,
                    kernels::panel_bias_avx2, kernels::panel_wide_avx2});
  if (cpu.avx2 && cpu.fma && cpu.f16c && cpu.avx_vnni)
    sets.push_back({"avxvnni", kernels::panel_vnni256, kernels::panel_wants_vnni,
                    kernels::panel_bias_avx2, nullptr});
  if (cpu.avx2 && cpu.fma && cpu.f16c && cpu.avx512_vnni)
    sets.push_back({"avx512", kernels::panel_vnni512, kernels::panel_wants_vnni,
                    kernels::panel_bias_avx2, nullptr});
#endif
#ifdef EDGELM_ARM
  if (cpu.dotprod)
    sets.push_back({"dotprod", kernels::panel_dotprod, wants_nothing, nullptr, nullptr});
  if (cpu.dotprod && cpu.i8mm)
    sets.push_back({"i8mm", kernels::panel_i8mm, wants_nothing, nullptr, nullptr});
#endif
  return sets;
}

template <class Visit>  // visit(dtype)
void for_each_packed_type(Visit visit) {
  for_each_type([&](tensor::DType type) {
    if (kernels::panel_bytes(type, 256) != 0) visit(type);
  });
}

inline bool whole_chunks(tensor::DType type) {
  return tensor::dtype_info(type).block_elements == 256;
}

// Every byte of a block 0x00 or 0xff, so that each value is the smallest or the largest of its bits
// (or, for bits split over two bytes, in between); sub-scales of Q6_K -128 or 127; f16 fields
// random. With activations of +-127 these are the largest sums there are.
inline void fill_extreme_blocks(tensor::DType type, std::size_t n_elements, Random& random,
                                std::byte* out) {
  const tensor::DTypeInfo& info = tensor::dtype_info(type);
  std::vector<std::byte> numbers(n_elements / info.block_elements * info.block_bytes);
  fill_blocks(type, n_elements, Blocks::kRandom, random, numbers.data());
  fill_blocks(type, n_elements, Blocks::kZeroScale, random, out);  // its zeros are the f16 fields
  std::vector<bool> is_half(info.block_bytes);
  const auto mark = [&]<class Type>() {
    if constexpr (Type::kQuantized) {
      if (Type::kType != type) return;
      for (const std::uint32_t field : Type::kHalfFields)
        is_half[field] = is_half[field + 1] = true;
    }
  };
  [&]<class... Types>(tensor::TypeList<Types...>) {
    (mark.template operator()<Types>(), ...);
  }(tensor::AllTypes{});
  // One block in three has all values alike: sums of one sign.
  for (std::size_t b = 0; b < numbers.size(); b += info.block_bytes) {
    const std::uint64_t kind = random.below(6);
    for (std::size_t i = 0; i < info.block_bytes; ++i) {
      const bool large = kind == 0 || (kind > 1 && random.below(2) == 1);
      const bool scale = type == tensor::DType::kQ6_K && i >= 192;
      out[b + i] = is_half[i] ? numbers[b + i]
                   : scale    ? (random.below(2) == 1 ? std::byte{0x7f} : std::byte{0x80})
                   : type != tensor::DType::kQ8_0 ? (large ? std::byte{0xff} : std::byte{0})
                                                  : (large ? std::byte{0x7f} : std::byte{0x80});
    }
  }
}

struct PanelProblem : MatmulProblem {
  PanelProblem(tensor::DType type, std::size_t n_rows, std::size_t n_cols, std::size_t n_tokens,
               Blocks blocks, Inputs inputs, std::uint64_t seed)
      : MatmulProblem(type, n_rows, n_cols, n_tokens, blocks, inputs, seed),
        n_panels((n_rows + kernels::kPanelRows - 1) / kernels::kPanelRows),
        bytes_of_panel(kernels::panel_bytes(type, n_cols)),
        packed(n_panels * bytes_of_panel, kernels::kPanelAlignment),
        bias(n_tokens * n_cols / 8),
        wide(n_tokens * n_cols) {
    pack();
  }

  // Again, after a change of weights or activations.
  void pack() {
    kernels::pack_panels(info.type, weights.data(), rows, cols, 0, n_panels, packed.data());
    kernels::panel_bias_scalar(q.data(), q.size(), bias.data());
    kernels::panel_wide_scalar(q.data(), q.size(), wide.data());
  }

  // With what `wants` names of the activations, and null pointers for the rest.
  [[nodiscard]] kernels::PanelArgs panel_args(GuardedBuffer<float>& out, std::size_t out_stride,
                                              kernels::PanelWants wants = {}) const {
    kernels::PanelArgs args;
    args.panels = packed.data();
    args.panel_bytes = bytes_of_panel;
    args.cols = cols;
    args.row_end = rows;
    args.x.q = q.data();
    args.x.q_stride = cols;
    args.x.scale = scale.data();
    args.x.scaled_sum = scaled_sum.data();
    args.x.scale_stride = cols / kernels::kGroup;
    args.x.bias = wants.bias ? bias.data() : nullptr;
    args.x.wide = wants.wide && tokens > kernels::kFewTokens ? wide.data() : nullptr;
    args.n_tokens = tokens;
    args.out = out.data();
    args.out_stride = out_stride;
    return args;
  }

  std::size_t n_panels, bytes_of_panel;
  GuardedBuffer<std::byte> packed;
  GuardedBuffer<std::int16_t> bias, wide;
};

}  // namespace edgelm::test
