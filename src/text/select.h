#pragma once
// Finding the best of many logits without sorting them: the largest one, and the k largest. Called
// by Sampler for every token, over vocabularies of up to 256k entries.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edgelm::text {

// Room that select_top needs in `ids`.
constexpr std::size_t select_top_capacity(std::size_t k) { return k + (k > 256 ? k : 256); }

// The largest value; -infinity when there is none (NaN is ignored).
float largest(std::span<const float> values);

// The lowest index whose value is `value`, or 0.
std::uint32_t index_of(std::span<const float> values, float value);

// Replaces `ids` by the indices of the k largest values in no particular order: NaN and -infinity
// never, equal values by the lowest index. Reserve select_top_capacity(k) or values.size().
void select_top(std::span<const float> values, std::size_t k, std::vector<std::uint32_t>& ids);

}  // namespace edgelm::text
