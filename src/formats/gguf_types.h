#pragma once
// Geometry of every tensor type that the GGUF format defines, runnable here or not, so that files
// can be checked and shown whatever their types. tensor/dtype.h has the types this build can run.

#include <cstdint>
#include <optional>
#include <string>

namespace edgelm::formats {

struct BlockGeometry {
  std::uint32_t elements = 1;
  std::uint32_t bytes = 1;
};

// nullopt for ids that the format never had or has removed.
std::optional<BlockGeometry> block_geometry(std::uint32_t type_id);

// "Q4_K", or "type 77" when the id has no name.
std::string tensor_type_label(std::uint32_t type_id);

// "F32, F16, Q4_0, ...": what this build can run, for messages.
std::string runnable_types();

}  // namespace edgelm::formats
