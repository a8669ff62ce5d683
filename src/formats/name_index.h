#pragma once
// Lookup by name, and the proof that names are unique: positions sorted by name. Sorting instead of
// hashing because a hostile file can choose colliding names, and because it is one allocation.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace edgelm::formats {

class NameIndex {
 public:
  NameIndex() = default;
  explicit NameIndex(std::vector<std::string_view> names);  // views must outlive the index

  // A name that occurs more than once, if any.
  [[nodiscard]] std::optional<std::string_view> duplicate() const;

  // Position of `name` in the list the index was built from.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

 private:
  std::vector<std::string_view> names_;
  std::vector<std::uint32_t> order_;  // positions, sorted by name
};

}  // namespace edgelm::formats
