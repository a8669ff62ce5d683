// The kernel tables of the instruction sets in this build, and the choice among them at load time.

#include "kernels/kernels.h"

#include <array>
#include <string>

#include "base/target.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/norm/norm.h"
#include "kernels/probe/probe.h"
#include "kernels/quantize/quantize.h"
#include "kernels/rope/rope.h"
#include "os/cpu.h"

namespace edgelm::kernels {
namespace {

PanelFn no_panels(tensor::DType) { return nullptr; }
PanelWants no_wants(tensor::DType) { return {}; }

constexpr Kernels kScalarKernels{
    .isa = Isa::kScalar,
    .name = "scalar",
    .matmul = matmul_scalar,
    .panel = no_panels,
    .panel_wants = no_wants,
    .panel_bias = nullptr,
    .panel_wide = nullptr,
    .quantize = quantize_scalar,
    .rms_norm = rms_norm_scalar,
    .silu_mul = silu_mul_scalar,
    .add = add_scalar,
    .to_half = to_half_scalar,
    .rope_interleaved = rope_interleaved_scalar,
    .rope_half = rope_half_scalar,
    .attention_f16 = attention_f16_scalar,
    .attention_q8_0 = attention_q8_0_scalar,
    .read_probe = read_probe_scalar,
};

#if defined(EDGELM_X86)
constexpr Kernels kAvx2Kernels{
    .isa = Isa::kAvx2,
    .name = "avx2",
    .matmul = matmul_avx2,
    .panel = panel_avx2,
    .panel_wants = panel_wants_avx2,
    .panel_bias = panel_bias_avx2,
    .panel_wide = panel_wide_avx2,
    .quantize = quantize_avx2,
    .rms_norm = rms_norm_avx2,
    .silu_mul = silu_mul_avx2,
    .add = add_avx2,
    .to_half = to_half_avx2,
    .rope_interleaved = rope_interleaved_avx2,
    .rope_half = rope_half_avx2,
    .attention_f16 = attention_f16_avx2,
    .attention_q8_0 = attention_q8_0_avx2,
    .read_probe = read_probe_avx2,
};

// Wider products for what is bound by arithmetic; the rest is AVX2's.
constexpr Kernels with_vnni(Kernels kernels, Isa isa, std::string_view name,
                            PanelFn (*panel)(tensor::DType)) {
  kernels.isa = isa;
  kernels.name = name;
  kernels.panel = panel;
  kernels.panel_wants = panel_wants_vnni;
  kernels.panel_wide = nullptr;
  return kernels;
}
constexpr Kernels kAvxVnniKernels =
    with_vnni(kAvx2Kernels, Isa::kAvxVnni, "avxvnni", panel_vnni256);
constexpr Kernels with_wide_attention(Kernels kernels) {
  kernels.attention_f16 = attention_f16_avx512;
  kernels.attention_q8_0 = attention_q8_0_avx512;
  return kernels;
}
constexpr Kernels kAvx512Kernels =
    with_wide_attention(with_vnni(kAvx2Kernels, Isa::kAvx512, "avx512", panel_vnni512));

constexpr std::array kAllKernels{&kAvx512Kernels, &kAvxVnniKernels, &kAvx2Kernels, &kScalarKernels};
#elif defined(EDGELM_ARM)
constexpr Kernels with_products(Kernels kernels, Isa isa, std::string_view name,
                                MatmulFn (*matmul)(tensor::DType),
                                PanelFn (*panel)(tensor::DType)) {
  kernels.isa = isa;
  kernels.name = name;
  kernels.matmul = matmul;
  kernels.panel = panel;
  return kernels;
}

constexpr Kernels kNeonKernels{
    .isa = Isa::kNeon,
    .name = "neon",
    .matmul = matmul_neon,
    .panel = no_panels,
    .panel_wants = no_wants,
    .panel_bias = nullptr,
    .panel_wide = nullptr,
    .quantize = quantize_neon,
    .rms_norm = rms_norm_neon,
    .silu_mul = silu_mul_neon,
    .add = add_neon,
    .to_half = to_half_neon,
    .rope_interleaved = rope_interleaved_neon,
    .rope_half = rope_half_neon,
    .attention_f16 = attention_f16_neon,
    .attention_q8_0 = attention_q8_0_neon,
    .read_probe = read_probe_neon,
};
constexpr Kernels kDotprodKernels =
    with_products(kNeonKernels, Isa::kDotprod, "dotprod", matmul_dotprod, panel_dotprod);
constexpr Kernels kI8mmKernels =
    with_products(kDotprodKernels, Isa::kI8mm, "i8mm", matmul_dotprod, panel_i8mm);

constexpr std::array kAllKernels{&kI8mmKernels, &kDotprodKernels, &kNeonKernels, &kScalarKernels};
#else
constexpr std::array kAllKernels{&kScalarKernels};
#endif

// "avx2 (not on this processor), scalar"
std::string list_of_sets() {
  std::string list;
  for (const Kernels* kernels : kAllKernels) {
    if (!list.empty()) list += ", ";
    list += kernels->name;
    if (!runs_here(*kernels)) list += " (not on this processor)";
  }
  return list;
}

}  // namespace

std::span<const Kernels* const> all_kernels() { return kAllKernels; }

bool runs_here(const Kernels& kernels) {
  const os::CpuFeatures& cpu = os::cpu_features();
  switch (kernels.isa) {
    case Isa::kScalar:
      return true;
    case Isa::kAvx2:
      return cpu.avx2 && cpu.fma && cpu.f16c;
    case Isa::kAvxVnni:
      return cpu.avx2 && cpu.fma && cpu.f16c && cpu.avx_vnni;
    case Isa::kAvx512:
      return cpu.avx2 && cpu.fma && cpu.f16c && cpu.avx512_vnni;
    case Isa::kNeon:
      return cpu.neon;
    case Isa::kDotprod:
      return cpu.neon && cpu.dotprod;
    case Isa::kI8mm:
      return cpu.neon && cpu.dotprod && cpu.i8mm;
  }
  return false;
}

Result<const Kernels*> select_kernels(std::string_view forced_name) {
  for (const Kernels* kernels : kAllKernels) {
    if (forced_name.empty() ? runs_here(*kernels) : kernels->name == forced_name) {
      if (runs_here(*kernels)) return kernels;
      return fail(ErrorCode::kUnsupported,
                  "instruction set '{}': this processor cannot run it; there are: {}", forced_name,
                  list_of_sets());
    }
  }
  for (const std::string_view name :
       {"scalar", "avx2", "avxvnni", "avx512", "neon", "dotprod", "i8mm"}) {
    if (name != forced_name) continue;
    return fail(ErrorCode::kUnsupported,
                "instruction set '{}': not in a build for this architecture; there are: {}",
                forced_name, list_of_sets());
  }
  return fail(ErrorCode::kUsage, "instruction set '{}' is unknown; there are: {}", forced_name,
              list_of_sets());
}

}  // namespace edgelm::kernels
