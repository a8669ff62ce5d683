#pragma once
// A fixture model as the bytes of a GGUF file. The same function makes the file that llama.cpp read
// when the goldens were taken and the one edgelm loads in conformance_test.cpp: equal by
// construction.

#include <string>

#include "fixture_spec.h"

namespace edgelm::conformance {

std::string fixture_gguf(const FixtureSpec& spec);

}  // namespace edgelm::conformance
