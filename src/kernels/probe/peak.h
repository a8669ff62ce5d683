#pragma once
// The arithmetic peaks that a passport states: which instructions of a set multiply most, for
// bytes and for floats. Timed by measure/device_speed.h on as many threads as it likes; what they
// compute is thrown away.

#include "kernels/kernels.h"
#include "kernels/probe/mixes.h"

namespace edgelm::kernels {

// int8 x int8 into wider sums, as the kernels of the set (or, where they have none, the best
// instructions of it) multiply.
const Mix& int8_peak(Isa isa);
// float32 multiply and add.
const Mix& f32_peak(Isa isa);

}  // namespace edgelm::kernels
