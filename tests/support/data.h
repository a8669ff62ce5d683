#pragma once
// Where tests find the external data folder (models, vectors, texts), which a plain clone lacks:
// environment EDGELM_DATA, or ../shared/data beside the source tree. Tests that need it skip, and
// say so, when it is absent.

#include <sys/stat.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace edgelm::test {

inline std::string source_dir() {
  const char* from_environment = std::getenv("EDGELM_SOURCE_DIR");
  return from_environment != nullptr ? from_environment : EDGELM_SOURCE_DIR;
}

inline std::optional<std::string> shared_data() {
  const char* from_environment = std::getenv("EDGELM_DATA");
  const std::string folder =
      from_environment != nullptr ? from_environment : source_dir() + "/../shared/data";
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return std::nullopt;
  return folder;
}

}  // namespace edgelm::test
