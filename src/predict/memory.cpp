// The parts of memory and the cliff.

#include "predict/memory.h"

#include <algorithm>

namespace edgelm::predict {
namespace {

constexpr std::uint64_t kUnboundedContext = 1U << 20U;  // searched when the model tells no limit

Fit fit_of(const MemoryPrediction& memory, std::uint64_t usable, bool gpu) {
  if (memory.touched_bytes <= usable) return Fit::kFits;
  // Weights can be read again from the file; a GPU's cannot, nor can the cache and the buffers.
  const std::uint64_t kept = memory.kv_bytes + memory.compute_bytes + memory.runtime_bytes;
  return gpu || kept > usable ? Fit::kNo : Fit::kPaging;
}

}  // namespace

Known<std::uint64_t> usable_memory(const device::Passport& passport) {
  const device::Memory& memory = passport.memory;
  Known<std::uint64_t> usable = not_available("the device's memory is not known");
  if (memory.available_bytes)
    usable = *memory.available_bytes;
  else if (memory.total_bytes)
    usable = *memory.total_bytes > kSystemReserve ? *memory.total_bytes - kSystemReserve : 0;
  if (memory.limit_bytes) usable = std::min(usable.value_or(UINT64_MAX), *memory.limit_bytes);
  return usable;
}

std::uint64_t compute_bytes(const Model& model, const Profile& profile,
                            std::uint64_t context_tokens) {
  const std::uint64_t batch = std::min<std::uint64_t>(std::max(profile.batch_tokens, 1U),
                                                      std::max<std::uint64_t>(context_tokens, 1));
  const std::uint64_t activations = batch * model.activation_floats * sizeof(float);
  if (profile.engine == "edgelm") {
    // plan/cost.cpp: an input is kept as float32, int8 and int16, with 16 bytes per 32 columns;
    // logits of one row.
    const std::uint64_t input = batch * model.widest_input * 15 / 2;
    return activations + input + std::uint64_t{model.n_vocab} * sizeof(float);
  }
  // llama.cpp reserves logits of a whole step and a float32 mask of step x context; it touches the
  // logits of the last token alone.
  const std::uint64_t mask = batch * context_tokens * sizeof(float);
  return activations + mask + batch * model.n_vocab * sizeof(float);
}

MemoryPrediction predict_memory(const Model& model, const Profile& profile,
                                const Known<std::uint64_t>& usable, std::uint64_t context_tokens,
                                double kv_element_bytes) {
  const auto at = [&](std::uint64_t context) {
    MemoryPrediction memory;
    memory.weights_bytes = model.weight_bytes();
    memory.kv_bytes = model.kv_bytes(context, kv_element_bytes) + model.state_bytes;
    memory.compute_bytes = compute_bytes(model, profile, context);
    memory.runtime_bytes = profile.runtime_bytes;
    // What one token touches. llama.cpp's buffers are for the most part reserved and not touched.
    memory.touched_bytes = memory.weights_bytes - model.embedding_bytes() + memory.kv_bytes;
    if (profile.engine == "edgelm")
      memory.touched_bytes += memory.compute_bytes + memory.runtime_bytes;
    return memory;
  };
  MemoryPrediction memory = at(context_tokens);
  memory.usable_bytes = usable;
  if (!usable) return memory;
  memory.fit = fit_of(memory, *usable, profile.gpu);
  memory.margin =
      *usable == 0 ? -1
                   : 1 - static_cast<double>(memory.touched_bytes) / static_cast<double>(*usable);
  if (model.kv.empty() && model.state_bytes == 0) {
    memory.largest_context = not_available("what a cached position takes is not known");
    return memory;
  }
  std::uint64_t low = 0;
  std::uint64_t high = model.context_length > 0 ? model.context_length : kUnboundedContext;
  while (low < high) {  // the largest that fits
    const std::uint64_t middle = low + (high - low + 1) / 2;
    if (at(middle).touched_bytes <= *usable)
      low = middle;
    else
      high = middle - 1;
  }
  memory.largest_context = low;
  return memory;
}

}  // namespace edgelm::predict
