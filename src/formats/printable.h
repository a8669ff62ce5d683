#pragma once
// The old place of base/printable.h.

#include "base/printable.h"

namespace edgelm::formats {

using edgelm::printable;

}  // namespace edgelm::formats
