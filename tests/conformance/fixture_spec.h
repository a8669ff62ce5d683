#pragma once
// The list of fixture models: one line each. make_fixture_models.cpp writes them for the reference
// implementations, conformance_test.cpp builds them again and compares edgelm with the golden
// files.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "tensor/dtype.h"

namespace edgelm::conformance {

enum class Family : std::uint8_t { kLlama, kQwen2, kQwen3 };

struct Widths {
  std::uint32_t embedding;
  std::uint32_t heads;
  std::uint32_t kv_heads;
  std::uint32_t head;  // elements of one head
  std::uint32_t feed_forward;
};

struct FixtureSpec {
  std::string_view name;
  Family family;
  std::optional<tensor::DType> type;  // of every matrix; absent: each matrix has a type of its own
  Widths widths;
  bool tied;        // no output.weight: the embedding serves twice
  bool rope_freqs;  // a rope_freqs.weight tensor divides the rotation frequencies
  std::uint32_t prompt_tokens;
};

constexpr std::uint32_t kLayers = 2;
constexpr std::uint32_t kVocabulary = 263;  // prime: no kernel's row blocking divides it
constexpr std::uint32_t kContext = 256;
constexpr std::uint32_t kDecodeTokens = 4;

std::span<const FixtureSpec> fixture_specs();
const FixtureSpec* find_fixture(std::string_view name);

// The ids the goldens were made with: BOS, then random ones; prompt_tokens + kDecodeTokens of them.
std::vector<std::int32_t> fixture_ids(const FixtureSpec& spec);

std::uint64_t fixture_seed(const FixtureSpec& spec, std::string_view purpose);

}  // namespace edgelm::conformance
