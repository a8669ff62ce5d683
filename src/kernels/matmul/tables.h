#pragma once
// Shared by the matmul files of all instruction sets: the lookup of a type's function in the list
// of tensor types, and the walk over an output in tiles of rows and tokens.

#include "kernels/matmul/matmul.h"
#include "tensor/types/all.h"

namespace edgelm::kernels {

template <class Set, class... Types>
MatmulFn find_matmul_in(tensor::TypeList<Types...>, tensor::DType type) {
  MatmulFn found = nullptr;
  ((Types::kType == type ? void(found = Set::template kFunction<Types>) : void()), ...);
  return found;
}

// Set::kFunction<Type> is the matmul of an instruction set for one tensor type.
template <class Set>
MatmulFn find_matmul(tensor::DType type) {
  return find_matmul_in<Set>(tensor::AllTypes{}, type);
}

// Covers tokens [0, n_tokens) of rows [row, row + kRows) with tiles of 4, 2 and 1 tokens.
template <class Kernel, int kRows>
void walk_tokens(const MatmulArgs& args, std::size_t row) {
  std::size_t token = 0;
  for (; token + 4 <= args.n_tokens; token += 4) Kernel::template tile<kRows, 4>(args, row, token);
  if (token + 2 <= args.n_tokens) {
    Kernel::template tile<kRows, 2>(args, row, token);
    token += 2;
  }
  if (token < args.n_tokens) Kernel::template tile<kRows, 1>(args, row, token);
}

// Weights are streamed once in order, kRows rows at a time (kDecodeRows when there is one token);
// each tile decodes a group of weights once for all its tokens. Kernel::tile<R, T>(args, row,
// token) computes R x T outputs; any split gives the same bits, because a tile never mixes outputs.
template <class Kernel>
void walk_tiles(const MatmulArgs& args) {
  std::size_t row = args.row_begin;
  if (args.n_tokens == 1) {
    constexpr int kRows = Kernel::kDecodeRows;
    for (; row + kRows <= args.row_end; row += kRows) {
      Kernel::template tile<kRows, 1>(args, row, 0);
    }
  } else {
    constexpr int kRows = Kernel::kPrefillRows;
    for (; row + kRows <= args.row_end; row += kRows) walk_tokens<Kernel, kRows>(args, row);
  }
  for (; row < args.row_end; ++row) walk_tokens<Kernel, 1>(args, row);
}

}  // namespace edgelm::kernels
