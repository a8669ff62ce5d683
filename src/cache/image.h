#pragma once
// A packed image mapped from the cache, as WeightCache::find returns it.

#include <thread>

#include "base/bytes.h"
#include "os/file.h"

namespace edgelm::cache {

class Image {
 public:
  explicit Image(os::MappedFile map) : map_(std::move(map)) {}
  Image(os::MappedFile map, std::jthread settling)
      : map_(std::move(map)), settling_(std::move(settling)) {}

  // Read-only; its start is 2 MiB aligned, so that it can be mapped with huge pages.
  [[nodiscard]] Bytes bytes() const { return map_.bytes(); }

 private:
  os::MappedFile map_;
  std::jthread settling_;  // sees a file to the disk that an earlier program could not wait for
};

}  // namespace edgelm::cache
