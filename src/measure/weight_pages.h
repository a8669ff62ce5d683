#pragma once
// Where the weights of a loaded model lie: how much of them is in memory (mincore), which files
// they come from, and how to get those out of the page cache, so that a cold load is one. Used by
// the load phases and the memory figures.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "backend/cpu/packed_weights.h"
#include "base/known.h"
#include "base/result.h"
#include "os/system_files.h"
#include "plan/plan.h"

namespace edgelm::measure {

struct PageRange {
  const std::byte* data = nullptr;
  std::size_t bytes = 0;
};

// What a token reads: the packed form of each weight where there is one, else the weight as it lies
// in the file. `packed` may be nullptr.
std::vector<PageRange> weight_ranges(const plan::Plan& plan, const backend::PackedWeights* packed);

// Share of the ranges' pages that are in memory.
Known<double> resident_share(std::span<const PageRange> ranges);

// The files that these ranges and the plan's weights are mapped from, each once, by
// /proc/self/maps. Not the program itself, and nothing that has no file.
std::vector<std::string> backing_files(const plan::Plan& plan, std::span<const PageRange> ranges,
                                       const os::SystemFiles& files);

// Share of a file's pages that the page cache holds.
Known<double> cached_share(const std::string& path);

// Drops the files from the page cache and looks whether they are gone (less than 5 % left). No
// mapping of them may be in use. Tries what needs no right first, then /proc/sys/vm/drop_caches.
// kIo says how much remained of which file.
Status drop_from_page_cache(std::span<const std::string> paths, const os::SystemFiles& files);

}  // namespace edgelm::measure
