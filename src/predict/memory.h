#pragma once
// Will it fit: memory by part against what the device can give, and the largest context. Called by
// predict.cpp and by the validation of the memory cliff.

#include "predict/predict.h"

namespace edgelm::predict {

// What a device's system, firmware and other programs keep for themselves when only its total
// memory is known. On a Raspberry Pi 5 of 8 GB (8.453e9 bytes visible) models ran at full speed up
// to 7.90e9 bytes touched and paged from 7.94e9 on (docs/predict.md): 8.453 - 7.92.
constexpr std::uint64_t kSystemReserve = 533'000'000;

// Bytes for a model, its cache and its buffers; n/a when the passport does not know its memory.
Known<std::uint64_t> usable_memory(const device::Passport& passport);

MemoryPrediction predict_memory(const Model& model, const Profile& profile,
                                const Known<std::uint64_t>& usable, std::uint64_t context_tokens,
                                double kv_element_bytes);

// Activations, the masks and logits of a step, for the engine of the profile.
std::uint64_t compute_bytes(const Model& model, const Profile& profile,
                            std::uint64_t context_tokens);

}  // namespace edgelm::predict
