#pragma once
// Read speed of the storage on which models lie: what a cold load waits for, and what a model that
// does not fit runs at. Called by device_speed.cpp.

#include <cstdint>
#include <string>

#include "base/known.h"

namespace edgelm::measure {

struct StorageOptions {
  // A file to read, or a folder where a temporary file is written first (it has no name, so nothing
  // stays behind even after a kill).
  std::string path;
  std::uint64_t file_bytes = 256ULL << 20;
  double write_seconds = 3;  // the file is as large as can be written in this time
  double read_seconds = 1;
};

struct StorageSpeed {
  double bytes_per_s = 0;
  std::uint64_t bytes = 0;  // that were read
  bool direct = false;      // O_DIRECT; otherwise the pages were dropped before
};

// Reads from begin to end past the page cache. n/a with the reason where that cannot be done: files
// in memory (tmpfs), no space, no right.
Known<StorageSpeed> storage_speed(const StorageOptions& options);

}  // namespace edgelm::measure
