#pragma once
// Contract of the rope family: rotates the first n_rot elements of one head in place by the angles
// whose cos and sin are given, n_rot / 2 of each (rotary position embedding, Su et al. 2021, eq.
// 34).
//   a' = a * cos - b * sin,   b' = a * sin + b * cos
// Interleaved pairs (a, b) are elements (2i, 2i+1) (Llama in GGUF order); half pairs are
// (i, i + n_rot/2) (GPT-NeoX, Qwen, Gemma). n_rot is even.
//
// Each product and each sum is rounded on its own (no fused multiply-add), so all instruction sets
// give the same bits. Over-read: none. Alignment: none. cos and sin do not overlap the head.

#include <cstddef>

#include "base/target.h"

namespace edgelm::kernels {

using RopeFn = void (*)(float* head, std::size_t n_rot, const float* cos, const float* sin);

void rope_interleaved_scalar(float* head, std::size_t n_rot, const float* cos, const float* sin);
void rope_half_scalar(float* head, std::size_t n_rot, const float* cos, const float* sin);
#ifdef EDGELM_X86
void rope_interleaved_avx2(float* head, std::size_t n_rot, const float* cos, const float* sin);
void rope_half_avx2(float* head, std::size_t n_rot, const float* cos, const float* sin);
#endif
#ifdef EDGELM_ARM
void rope_interleaved_neon(float* head, std::size_t n_rot, const float* cos, const float* sin);
void rope_half_neon(float* head, std::size_t n_rot, const float* cos, const float* sin);
#endif

}  // namespace edgelm::kernels
