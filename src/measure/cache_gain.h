#pragma once
// What the caches are worth to a model of some size: how fast decode's products read weights of
// several sizes over and over, relative to weights that come from memory. A last-level cache that
// is shared with other programs, or with other machines of a host, holds less than its size says,
// so it is measured. Used by `edgelm plan` for this device.

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace edgelm::measure {

struct CacheGainSample {
  double bytes = 0;  // read over and over
  double gain = 1;   // at least 1: bandwidth relative to the largest buffer
};

// Ascending by size, from 4 MiB to the buffer of BandwidthProbe; takes about a second. kMemory when
// there is no room for that.
Result<std::vector<CacheGainSample>> measure_cache_gain(std::uint32_t n_threads);

}  // namespace edgelm::measure
