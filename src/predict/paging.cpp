// Bounds and expectation of what is read from storage.

#include "predict/paging.h"

#include <algorithm>
#include <cmath>

namespace edgelm::predict {
namespace {

constexpr double kReads = 1.7;              // times sqrt(excess x touched)
constexpr double kStorageLow = 0.5;         // of storage's speed: seeks, read-ahead, competition
constexpr double kCardBytesPerS = 0.094e9;  // where a passport does not tell: a Raspberry Pi's card
constexpr std::uint64_t kBorderBytes = 100'000'000;  // docs/predict.md

// Of all weights and the cache, the share that one token needs; 1 unless there are experts.
double share_of_a_token(const Model& model, const MemoryPrediction& memory) {
  const bool experts = std::any_of(
      model.weights.begin(), model.weights.end(),
      [](const Weights& w) { return w.part == Part::kExperts && w.share > 0 && w.share < 1; });
  if (!experts || memory.touched_bytes == 0) return 1;
  const double needed = model.bytes_per_token() + static_cast<double>(memory.kv_bytes);
  return std::min(1.0, needed / static_cast<double>(memory.touched_bytes));
}

}  // namespace

PagingMemory paging_memory(const Model& model, const device::Passport& passport,
                           const MemoryPrediction& memory) {
  PagingMemory result;
  if (memory.fit != Fit::kPaging || !memory.usable_bytes) return result;
  double storage = passport.speeds.storage_bytes_per_s.value_or(0);
  const bool told = storage > 0;
  if (!told) storage = kCardBytesPerS;
  const double touched = static_cast<double>(memory.touched_bytes);
  const double excess = touched - static_cast<double>(*memory.usable_bytes);
  result.step_s = {.value = std::min(touched, kReads * std::sqrt(excess * touched)) / storage,
                   .low = excess / storage,
                   .high = touched / (kStorageLow * storage)};
  result.token_s = result.step_s;
  const double share = share_of_a_token(model, memory);
  if (share < 1)
    result.token_s = {
        .value = share * excess / storage, .low = 0, .high = share * result.step_s.high};
  result.note = fmt::format(
      "it pages: speed and energy are bounds, from {} at {}{:.3g} GB/s to everything at half of "
      "that",
      share < 1 ? "no weight read from storage (the experts in use stay)"
                : "the excess alone read from storage",
      told ? "" : "an assumed ", storage / 1e9);
  return result;
}

Interval paging_rate(const PagingMemory& memory, const PagingWork& work) {
  const Interval& read_s = work.tokens <= 1 ? memory.token_s : memory.step_s;
  const auto rate = [&](double of_pass) {
    return work.tokens / (work.seconds + work.passes * of_pass);
  };
  return {.value = rate(read_s.value), .low = rate(read_s.high), .high = rate(read_s.low)};
}

bool near_the_border(const MemoryPrediction& memory) {
  return memory.fit == Fit::kFits && memory.usable_bytes &&
         memory.touched_bytes + kBorderBytes > *memory.usable_bytes;
}

}  // namespace edgelm::predict
