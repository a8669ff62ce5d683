// The rules of the mixes; source in the header.

#include "predict/mix.h"

#include <array>
#include <cctype>

namespace edgelm::predict {
namespace {

struct Named {
  std::string_view name;
  std::string_view base;  // of most matrices
  enum class Rule : std::uint8_t { kPlain, kFloat, kMedium, kSmall, kQ3M, kQ2 } rule;
};
using enum Named::Rule;

// Plain files keep one type but for the head, which is Q6_K unless they are Q8_0. The Q4_0_4_4 of
// 2024 is Q4_0 packed ahead of time.
constexpr std::array kMixes = {
    Named{"F32", "F32", kFloat},       Named{"F16", "F16", kFloat},
    Named{"BF16", "BF16", kFloat},     Named{"Q8_0", "Q8_0", kFloat},
    Named{"Q4_0", "Q4_0", kPlain},     Named{"Q4_1", "Q4_1", kPlain},
    Named{"Q5_0", "Q5_0", kPlain},     Named{"Q5_1", "Q5_1", kPlain},
    Named{"Q4_0_4_4", "Q4_0", kPlain}, Named{"Q4_K", "Q4_K", kPlain},
    Named{"Q5_K", "Q5_K", kPlain},     Named{"Q6_K", "Q6_K", kPlain},
    Named{"Q2_K", "Q2_K", kQ2},        Named{"Q3_K_M", "Q3_K", kQ3M},
    Named{"Q4_K_S", "Q4_K", kSmall},   Named{"Q4_K_M", "Q4_K", kMedium},
    Named{"Q5_K_S", "Q5_K", kSmall},   Named{"Q5_K_M", "Q5_K", kMedium},
};

// The first and last eighth of the layers, and every third between.
bool use_more_bits(std::uint32_t layer, std::uint32_t n_layers) {
  const std::uint32_t eighth = n_layers / 8;
  return layer < eighth || layer >= 7 * n_layers / 8 || (layer - eighth) % 3 == 2;
}

std::string_view wanted(const Named& mix, const MatrixPlace& at) {
  using enum MatrixRole;
  if (mix.rule == kFloat) return mix.base;
  if (at.role == kOutput) return "Q6_K";
  const bool wide = at.role == kAttnV || at.role == kFfnDown;
  switch (mix.rule) {
    case kMedium:
      if (at.role == kAttnQkv) return mix.base == "Q4_K" ? "Q5_K" : "Q6_K";
      return wide && use_more_bits(at.layer, at.n_layers) ? "Q6_K" : mix.base;
    case kSmall:
      if (mix.base != "Q4_K") return mix.base;
      if (at.role == kAttnV && at.layer < 4) return "Q5_K";
      if (at.role == kFfnDown && at.layer < at.n_layers / 8) return "Q5_K";
      return mix.base;
    case kQ3M:
      if (at.role == kAttnV) return at.layer < 2 ? "Q5_K" : "Q4_K";
      if (at.role == kFfnDown) return at.layer < at.n_layers / 16 ? "Q5_K" : "Q4_K";
      return at.role == kAttnOut || at.role == kAttnQkv ? "Q4_K" : mix.base;
    case kQ2:
      if (at.role == kAttnV) return at.heads_per_kv >= 4 ? "Q4_K" : "Q3_K";
      return at.role == kFfnDown || at.role == kAttnOut ? "Q3_K" : mix.base;
    case kPlain:
    case kFloat:
      break;
  }
  return mix.base;
}

// What llama.cpp takes where rows are not whole blocks of 256.
std::string_view narrow(std::string_view type) {
  if (type == "Q2_K" || type == "Q3_K") return "IQ4_NL";
  if (type == "Q4_K") return "Q5_0";
  if (type == "Q5_K") return "Q5_1";
  if (type == "Q6_K") return "Q8_0";
  return "F16";
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::toupper(static_cast<unsigned char>(a[i])) !=
        std::toupper(static_cast<unsigned char>(b[i])))
      return false;
  return true;
}

}  // namespace

Result<formats::BlockGeometry> geometry_of(std::string_view type) {
  constexpr std::uint32_t kIdLimit = 64;  // above every id in use
  for (std::uint32_t id = 0; id < kIdLimit; ++id)
    if (const auto geometry = formats::block_geometry(id))
      if (formats::tensor_type_label(id) == type) return *geometry;
  return fail(ErrorCode::kFormat, "no tensor type '{:.32}'", type);
}

Result<std::string> matrix_type(std::string_view mix, const MatrixPlace& place,
                                std::uint64_t cols) {
  for (const Named& named : kMixes) {
    if (!same_name(named.name, mix)) continue;
    std::string_view type = wanted(named, place);
    for (int tries = 0; tries < 2; ++tries) {
      EDGELM_TRY_ASSIGN(const formats::BlockGeometry geometry, geometry_of(type));
      if (cols % geometry.elements == 0) return std::string(type);
      type = tries == 0 ? narrow(type) : "F16";
    }
    return std::string(type);
  }
  return fail(ErrorCode::kUsage, "no type '{:.64}'; there are {}", mix, known_mixes());
}

std::string known_mixes() {
  std::string names;
  for (const Named& mix : kMixes) {
    if (!names.empty()) names += ", ";
    names += mix.name;
  }
  return names;
}

}  // namespace edgelm::predict
