// Words to recipes.

#include "synth/recipe.h"

#include <charconv>
#include <vector>

namespace edgelm::synth {
namespace {

constexpr std::string_view kPrefix = "synth:";
constexpr std::string_view kLayers = "layers=";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

std::string Recipe::title() const {
  if (n_layers == shape.n_layers) return std::string(shape.name);
  if (n_layers == 1) return fmt::format("{}, layer 1 of {}", shape.name, shape.n_layers);
  return fmt::format("{}, layers 1 to {} of {}", shape.name, n_layers, shape.n_layers);
}

Result<Recipe> make_recipe(std::string_view shape, std::string_view type, std::uint32_t layers,
                           std::uint64_t seed) {
  EDGELM_TRY_ASSIGN(const ModelShape found, find_shape(shape));
  EDGELM_TRY_ASSIGN(Mix mix, find_mix(type));
  if (layers > found.n_layers)
    return fail(ErrorCode::kUsage, "{} has {} layers, not {}", found.name, found.n_layers, layers);
  return Recipe{found, std::move(mix), layers == 0 ? found.n_layers : layers, seed};
}

bool is_synth_name(std::string_view name) { return name.substr(0, kPrefix.size()) == kPrefix; }

Result<Recipe> parse_synth_name(std::string_view name) {
  const std::vector<std::string_view> parts = split(name, ':');
  std::uint32_t layers = 0;
  bool well_formed = is_synth_name(name) && (parts.size() == 3 || parts.size() == 4);
  if (well_formed && parts.size() == 4) {
    const std::string_view last = parts[3];
    const std::string_view number = last.substr(std::min(last.size(), kLayers.size()));
    const char* const end = number.data() + number.size();
    const auto [stopped, error] = std::from_chars(number.data(), end, layers);
    well_formed = last.substr(0, kLayers.size()) == kLayers && error == std::errc() &&
                  stopped == end && layers > 0;
  }
  if (!well_formed)
    return fail(ErrorCode::kUsage,
                "'{:.64}' is not synth:SHAPE:TYPE or synth:SHAPE:TYPE:layers=N; shapes: {}; types: "
                "{}",
                name, shape_names(), mix_names());
  return make_recipe(parts[1], parts[2], layers);
}

}  // namespace edgelm::synth
