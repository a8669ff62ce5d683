// Host requirements of the byte helpers, in one translation unit.

#include "base/bytes.h"

#include <bit>

static_assert(std::endian::native == std::endian::little, "edgelm needs a little-endian host");
