#include "formats/name_index.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace edgelm::formats {

NameIndex::NameIndex(std::vector<std::string_view> names)
    : names_(std::move(names)), order_(names_.size()) {
  std::iota(order_.begin(), order_.end(), 0u);
  std::sort(order_.begin(), order_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return names_[a] < names_[b]; });
}

std::optional<std::string_view> NameIndex::duplicate() const {
  const auto same = [this](std::uint32_t a, std::uint32_t b) { return names_[a] == names_[b]; };
  const auto hit = std::adjacent_find(order_.begin(), order_.end(), same);
  return hit == order_.end() ? std::nullopt : std::optional(names_[*hit]);
}

std::optional<std::size_t> NameIndex::find(std::string_view name) const {
  const auto hit =
      std::lower_bound(order_.begin(), order_.end(), name,
                       [this](std::uint32_t at, std::string_view key) { return names_[at] < key; });
  if (hit == order_.end() || names_[*hit] != name) return std::nullopt;
  return *hit;
}

}  // namespace edgelm::formats
