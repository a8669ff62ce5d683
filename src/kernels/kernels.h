#pragma once
// The table of kernels of one instruction set, chosen once at load. Every entry obeys the contract
// header of its family; `scalar` is the specification, the others prove equality against it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "kernels/attention/attention.h"
#include "kernels/matmul/matmul.h"
#include "kernels/panel/panel.h"
#include "tensor/dtype.h"

namespace edgelm::kernels {

enum class Isa : std::uint8_t { kScalar, kAvx2, kAvxVnni, kAvx512, kNeon, kDotprod, kI8mm };

struct Kernels {
  Isa isa;
  // "scalar", "avx2" (AVX2 + FMA + F16C), "avxvnni", "avx512" (and VNNI), "neon", "dotprod" (NEON +
  // SDOT), "i8mm" (and SMMLA)
  std::string_view name;

  MatmulFn (*matmul)(tensor::DType type);  // never nullptr for a type in the dtype table

  // panel/: the same products over packed weights. nullptr for a type that is not packed, and for
  // all types on a set without such kernels.
  PanelFn (*panel)(tensor::DType type);
  PanelWants (*panel_wants)(tensor::DType type);
  // panel/: Activations::bias and ::wide; nullptr where no kernel of the set wants them.
  void (*panel_bias)(const std::int8_t* q, std::size_t n, std::int16_t* bias);
  void (*panel_wide)(const std::int8_t* q, std::size_t n, std::int16_t* wide);

  // quantize/: x (n, multiple of 32) -> q in [-127, 127], scale = max|x| / 127 per group of 32 and
  // scaled_sum = scale * sum(q). A group of zeros has scale 0. Rounds to nearest, ties to even.
  void (*quantize)(const float* x, std::size_t n, std::int8_t* q, float* scale, float* scaled_sum);

  // norm/: out = x / sqrt(mean(x^2) + eps) * weight (Zhang and Sennrich 2019). out may be x.
  void (*rms_norm)(const float* x, const float* weight, std::size_t n, float eps, float* out);

  // elementwise/: out[i] = gate[i] / (1 + exp(-gate[i])) * up[i]. out may alias gate.
  void (*silu_mul)(const float* gate, const float* up, std::size_t n, float* out);
  void (*add)(float* x, const float* y, std::size_t n);  // x += y
  void (*to_half)(const float* x, std::size_t n, std::uint16_t* out);

  // rope/: rotates the first n_rot elements of one head by angles given as cos/sin pairs
  // (n_rot / 2 of each). Interleaved: pairs (2i, 2i+1); half: pairs (i, i + n_rot/2).
  void (*rope_interleaved)(float* head, std::size_t n_rot, const float* cos, const float* sin);
  void (*rope_half)(float* head, std::size_t n_rot, const float* cos, const float* sin);

  // attention/: over a cache of f16, of int8 with scales.
  AttentionFn attention_f16;
  AttentionFn attention_q8_0;

  // probe/: reads `bytes` (multiple of 512, 64-byte aligned) with four independent accumulators in
  // the widest loads of the set and returns a checksum, so that the reads cannot be removed.
  std::uint64_t (*read_probe)(const void* data, std::size_t bytes);
};

// All sets compiled into this binary, best first, whether or not this processor can run them.
std::span<const Kernels* const> all_kernels();
bool runs_here(const Kernels& kernels);

// The best set this processor can run, or the one named. kUsage for an unknown name, kUnsupported
// when the processor (or this build) lacks it; the message lists what is there.
Result<const Kernels*> select_kernels(std::string_view forced_name = {});

}  // namespace edgelm::kernels
