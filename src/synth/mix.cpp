// The mixes: llama.cpp, src/llama-quant.cpp, llama_tensor_get_type_impl and tensor_type_fallback.

#include "synth/mix.h"

#include <algorithm>
#include <cctype>

namespace edgelm::synth {
namespace {

using tensor::DType;
using enum tensor::DType;

struct Named {
  std::string_view name;
  DType base;
  Mix::Rule rule;
  std::uint32_t file_type;
};

// "Pure" files of K types carry the file type of the S mix, which is the nearest there is.
constexpr Named kMixes[] = {
    {"F32", kF32, Mix::Rule::kPure, 0},       {"F16", kF16, Mix::Rule::kPure, 1},
    {"BF16", kBF16, Mix::Rule::kPure, 32},    {"Q8_0", kQ8_0, Mix::Rule::kPure, 7},
    {"Q4_0", kQ4_0, Mix::Rule::kPure, 2},     {"Q5_0", kQ5_0, Mix::Rule::kPure, 8},
    {"Q5_1", kQ5_1, Mix::Rule::kPure, 9},     {"Q4_K", kQ4_K, Mix::Rule::kPure, 14},
    {"Q5_K", kQ5_K, Mix::Rule::kPure, 16},    {"Q6_K", kQ6_K, Mix::Rule::kPure, 18},
    {"Q4_K_S", kQ4_K, Mix::Rule::kSmall, 14}, {"Q4_K_M", kQ4_K, Mix::Rule::kMedium, 15},
    {"Q5_K_S", kQ5_K, Mix::Rule::kSmall, 16}, {"Q5_K_M", kQ5_K, Mix::Rule::kMedium, 17},
};

// The first and last eighth of the layers, and every third between.
bool use_more_bits(std::uint32_t layer, std::uint32_t n_layers) {
  const std::uint32_t eighth = n_layers / 8;
  return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::toupper(x) == std::toupper(y);
  });
}

}  // namespace

Result<Mix> find_mix(std::string_view name) {
  for (const Named& mix : kMixes)
    if (same_name(mix.name, name))
      return Mix{std::string(mix.name), mix.base, mix.rule, mix.file_type};
  return fail(ErrorCode::kUsage, "no type '{:.64}'; there are {}", name, mix_names());
}

std::string mix_names() {
  std::string names;
  for (const Named& mix : kMixes) {
    if (!names.empty()) names += ", ";
    names += mix.name;
  }
  return names;
}

DType wanted_type(const Mix& mix, Role role, std::uint32_t layer, std::uint32_t n_layers) {
  if (mix.rule == Mix::Rule::kPure) return mix.base;
  if (role == Role::kOutput) return kQ6_K;
  if (mix.rule == Mix::Rule::kMedium) {
    const bool wide = role == Role::kAttnV || role == Role::kFfnDown;
    return wide && use_more_bits(layer, n_layers) ? kQ6_K : mix.base;
  }
  if (mix.base != kQ4_K) return mix.base;
  if (role == Role::kAttnV && layer < 4) return kQ5_K;
  if (role == Role::kFfnDown && layer < n_layers / 8) return kQ5_K;
  return mix.base;
}

DType fitting_type(DType wanted, std::uint64_t cols) {
  const auto fits = [cols](DType type) {
    return cols % tensor::dtype_info(type).block_elements == 0;
  };
  if (fits(wanted)) return wanted;
  const DType narrow = wanted == kQ4_K ? kQ5_0 : wanted == kQ5_K ? kQ5_1 : kQ8_0;
  return fits(narrow) ? narrow : kF16;
}

}  // namespace edgelm::synth
