#pragma once
// The list of tensor types. Everything else derives from it: the dtype table, the matmul tables of
// each instruction set, contract tests, benchmarks. A new type is a file here, a line below and its
// id in dtype.h.

#include "tensor/types/bf16.h"
#include "tensor/types/f16.h"
#include "tensor/types/f32.h"
#include "tensor/types/q4_0.h"
#include "tensor/types/q4_K.h"
#include "tensor/types/q5_0.h"
#include "tensor/types/q5_1.h"
#include "tensor/types/q5_K.h"
#include "tensor/types/q6_K.h"
#include "tensor/types/q8_0.h"

namespace edgelm::tensor {

template <class... Types>
struct TypeList {};

using AllTypes = TypeList<TypeF32, TypeF16, TypeBF16, TypeQ4_0, TypeQ5_0, TypeQ5_1, TypeQ8_0,
                          TypeQ4_K, TypeQ5_K, TypeQ6_K>;

}  // namespace edgelm::tensor
