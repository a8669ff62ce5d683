#pragma once
// A golden file of tests/data/conformance: what another implementation computed for one fixture
// model. Format and making: tools/fixtures/README.md.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace edgelm::conformance {

struct Golden {
  std::string implementation;  // "llama.cpp ..."
  std::string fingerprint;     // of the model's weights
  std::uint32_t prompt_tokens = 0;
  std::vector<std::int32_t> ids;                    // prompt, then tokens to decode
  std::vector<std::uint32_t> positions;             // whose logits were kept
  std::vector<std::vector<double>> logits;          // one row per position
  std::vector<std::vector<double>> float64_logits;  // by tools/fixtures/reference.py
};

// Throws what the JSON library throws: a broken golden file is a broken test.
Golden read_golden(std::string_view model);

// |a - b| / |b| in the Euclidean norm.
double relative_error(std::span<const float> a, std::span<const double> b);

// Whether `a` has its largest element where `b` has, or `b` does not tell them apart: its two
// largest differ by no more than the largest difference between a and b.
bool same_top(std::span<const float> a, std::span<const double> b);

}  // namespace edgelm::conformance
