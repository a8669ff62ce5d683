#pragma once
// The tensors of a fixture model: names and shapes as in GGUF files of its family, contents random
// but reproducible. Used by fixture_model.cpp.

#include <cstdint>
#include <string>
#include <vector>

#include "fixture_spec.h"
#include "tensor/view.h"

namespace edgelm::conformance {

struct FixtureTensor {
  std::string name;
  tensor::DType type;
  tensor::Shape shape;
  std::string data;
};

std::vector<FixtureTensor> fixture_tensors(const FixtureSpec& spec);

// FNV-1a over names, types and data: written into the golden files, so that a change of the
// generator shows as such and not as a wrong logit.
std::uint64_t fingerprint(const std::vector<FixtureTensor>& tensors);

}  // namespace edgelm::conformance
