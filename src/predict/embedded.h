#pragma once
// Files of data/ that are part of the program (cmake/embed.cmake).

#include <span>
#include <string_view>

namespace edgelm::predict {

std::string_view embedded_models_csv();     // data/reference/models.csv
std::string_view embedded_speed_csv();      // data/reference/speed.csv
std::string_view embedded_memory_csv();     // data/reference/memory.csv
std::string_view embedded_constants_csv();  // data/reference/constants.csv

struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};
std::span<const EmbeddedFile> embedded_passports();  // data/passports/*.json

}  // namespace edgelm::predict
