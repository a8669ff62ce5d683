// The fixture models. Widths vary so that rows end inside a vector, heads group by 2, 4 and 5, and
// a head is narrower or wider than embedding / heads; three prompts are long enough to cross KV
// blocks.
#include "fixture_spec.h"

#include "base/random.h"

namespace edgelm::conformance {
namespace {

using enum tensor::DType;
using enum Family;

constexpr Widths kGrouped{256, 8, 2, 32, 512};
constexpr Widths kOdd{72, 6, 3, 12, 100};     // no power of two anywhere
constexpr Widths kNarrow{160, 5, 1, 32, 96};  // blocks of 32, but not of 64
constexpr Widths kQwen2Like{256, 4, 2, 64, 512};
constexpr Widths kQwen3Like{256, 4, 2, 128, 512};  // heads together wider than the embedding

// name, family, type, widths, tied, rope_freqs, prompt_tokens
constexpr FixtureSpec kSpecs[] = {
    {"llama_f32", kLlama, kF32, kGrouped, false, false, 16},
    {"llama_f16", kLlama, kF16, kGrouped, false, false, 16},
    {"llama_bf16", kLlama, kBF16, kGrouped, false, false, 16},
    {"llama_q8_0", kLlama, kQ8_0, kGrouped, false, false, 16},
    {"llama_q4_0", kLlama, kQ4_0, kGrouped, false, false, 16},
    {"llama_q5_0", kLlama, kQ5_0, kGrouped, false, false, 16},
    {"llama_q5_1", kLlama, kQ5_1, kGrouped, false, false, 16},
    {"llama_q4_k", kLlama, kQ4_K, kGrouped, false, false, 16},
    {"llama_q5_k", kLlama, kQ5_K, kGrouped, false, false, 16},
    {"llama_q6_k", kLlama, kQ6_K, kGrouped, false, false, 16},
    {"llama_mixed", kLlama, std::nullopt, kGrouped, false, false, 23},
    {"llama_tied_f32", kLlama, kF32, kGrouped, true, false, 13},
    {"llama_tied_q6_k", kLlama, kQ6_K, kGrouped, true, false, 13},
    {"llama_rope_freqs_f32", kLlama, kF32, kGrouped, false, true, 200},
    {"llama_rope_freqs_q4_k", kLlama, kQ4_K, kGrouped, true, true, 29},
    {"llama_odd_f32", kLlama, kF32, kOdd, false, false, 19},
    {"llama_odd_f16", kLlama, kF16, kOdd, false, false, 19},
    {"llama_narrow_q4_0", kLlama, kQ4_0, kNarrow, false, false, 17},
    {"qwen2_f32", kQwen2, kF32, kQwen2Like, false, false, 150},
    {"qwen2_f16", kQwen2, kF16, kQwen2Like, false, false, 16},
    {"qwen2_q8_0", kQwen2, kQ8_0, kQwen2Like, true, false, 16},
    {"qwen2_q4_k", kQwen2, kQ4_K, kQwen2Like, false, false, 33},
    {"qwen3_f32", kQwen3, kF32, kQwen3Like, false, false, 150},
    {"qwen3_f16", kQwen3, kF16, kQwen3Like, false, false, 16},
    {"qwen3_q8_0", kQwen3, kQ8_0, kQwen3Like, false, false, 16},
    {"qwen3_q4_k", kQwen3, kQ4_K, kQwen3Like, true, false, 33},
};

}  // namespace

std::span<const FixtureSpec> fixture_specs() { return kSpecs; }

const FixtureSpec* find_fixture(std::string_view name) {
  for (const FixtureSpec& spec : kSpecs)
    if (spec.name == name) return &spec;
  return nullptr;
}

std::uint64_t fixture_seed(const FixtureSpec& spec, std::string_view purpose) {
  std::uint64_t seed = 0;
  for (const char c : spec.name) seed = random_bits(seed, static_cast<unsigned char>(c));
  for (const char c : purpose) seed = random_bits(seed, static_cast<unsigned char>(c));
  return seed;
}

std::vector<std::int32_t> fixture_ids(const FixtureSpec& spec) {
  constexpr std::int32_t kBos = 1;
  Random draw(fixture_seed(spec, "ids"));
  std::vector<std::int32_t> ids{kBos};
  while (ids.size() < spec.prompt_tokens + kDecodeTokens)
    ids.push_back(static_cast<std::int32_t>(draw.below(kVocabulary)));
  return ids;
}

}  // namespace edgelm::conformance
