#pragma once
// Models in several files: `NAME-00001-of-00003.gguf`, keys split.no (from 0), split.count,
// split.tensors.count (over all parts). Part 1 has the metadata, each part its own tensor table.

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "formats/gguf_part.h"

namespace edgelm::formats {

struct SplitName {
  std::string prefix;       // path up to the "-00001-of-..."
  std::uint32_t no = 0;     // from 1, as in the name
  std::uint32_t count = 0;  // parts in all
};

// nullopt when the path does not have the form of a part.
std::optional<SplitName> parse_split_name(const std::string& path);
std::string split_part_path(const SplitName& name, std::uint32_t no);

struct SplitInfo {
  std::uint64_t no = 0;  // from 0, as in the file
  std::uint64_t count = 0;
  std::uint64_t n_tensors = 0;
};

// What a part says about itself; nullopt when it has no split keys or is the only part.
Result<std::optional<SplitInfo>> read_split_info(const GgufPart& part, const std::string& path);

// The name and the keys of a part must tell the same story. `first` is what the part opened first
// says; every other part must agree with it. `expected_no` is from 1.
Status check_split_part(const std::string& path, const std::optional<SplitInfo>& info,
                        const SplitInfo& first, std::uint32_t expected_no);

}  // namespace edgelm::formats
