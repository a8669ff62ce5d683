// The specification of the rotary embedding; the vector versions give the same bits.

#include "kernels/rope/rope.h"

namespace edgelm::kernels {
namespace {

void rotate(float& a, float& b, float cos, float sin) {
  const float rotated_a = a * cos - b * sin;
  b = a * sin + b * cos;
  a = rotated_a;
}

}  // namespace

void rope_interleaved_scalar(float* head, std::size_t n_rot, const float* cos, const float* sin) {
  for (std::size_t i = 0; i < n_rot / 2; ++i) rotate(head[2 * i], head[2 * i + 1], cos[i], sin[i]);
}

void rope_half_scalar(float* head, std::size_t n_rot, const float* cos, const float* sin) {
  const std::size_t half = n_rot / 2;
  for (std::size_t i = 0; i < half; ++i) rotate(head[i], head[i + half], cos[i], sin[i]);
}

}  // namespace edgelm::kernels
