// Specification of matmul: plain loops over the groups of every tensor type. Also what runs on
// processors without AVX2 or NEON.

#include <algorithm>

#include "kernels/matmul/tables.h"

namespace edgelm::kernels {
namespace {

constexpr std::size_t kTokenTile = 8;  // tokens that share one decoding of the weights

// acc[t] = dot of one weight row with tokens [token, token + n).
template <class Type>
void dot_floats(const MatmulArgs& args, const std::byte* row, std::size_t token, std::size_t n,
                float* acc) {
  for (std::size_t c = 0; c < args.cols; ++c) {
    const float weight = Type::value(row + c * Type::kBlockBytes);
    for (std::size_t t = 0; t < n; ++t) {
      acc[t] += weight * args.x.f32[(token + t) * args.x.f32_stride + c];
    }
  }
}

template <class Type>
void dot_groups(const MatmulArgs& args, const std::byte* row, std::size_t token, std::size_t n,
                float* acc) {
  constexpr std::size_t kGroupsPerBlock = Type::kBlockElements / kGroup;
  for (std::size_t g = 0; g < args.cols / kGroup; ++g) {
    const std::byte* block = row + g / kGroupsPerBlock * Type::kBlockBytes;
    const tensor::Group group = Type::group(block, g % kGroupsPerBlock);
    for (std::size_t t = 0; t < n; ++t) {
      const std::int8_t* q = args.x.q + (token + t) * args.x.q_stride + g * kGroup;
      const std::size_t at = (token + t) * args.x.scale_stride + g;
      int first = 0, second = 0;
      for (std::size_t j = 0; j < 16; ++j) {
        first += group.q[j] * q[j];
        second += group.q[j + 16] * q[j + 16];
      }
      const int dot = group.sub_scale[0] * first + group.sub_scale[1] * second;
      acc[t] += (group.scale * args.x.scale[at]) * static_cast<float>(dot);
      if constexpr (Type::kHasOffset) acc[t] += group.offset * args.x.scaled_sum[at];
    }
  }
}

template <class Type>
void matmul(const MatmulArgs& args) {
  for (std::size_t r = args.row_begin; r < args.row_end; ++r) {
    const std::byte* row = args.weights + r * args.row_bytes;
    for (std::size_t token = 0; token < args.n_tokens; token += kTokenTile) {
      const std::size_t n = std::min(kTokenTile, args.n_tokens - token);
      float acc[kTokenTile] = {};
      if constexpr (Type::kQuantized) {
        dot_groups<Type>(args, row, token, n, acc);
      } else {
        dot_floats<Type>(args, row, token, n, acc);
      }
      for (std::size_t t = 0; t < n; ++t) {
        float& out = args.out[(token + t) * args.out_stride + r];
        out = args.accumulate ? out + acc[t] : acc[t];
      }
    }
  }
}

struct Scalar {
  template <class Type>
  static constexpr MatmulFn kFunction = matmul<Type>;
};

}  // namespace

MatmulFn matmul_scalar(tensor::DType type) { return find_matmul<Scalar>(type); }

}  // namespace edgelm::kernels
