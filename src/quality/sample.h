#pragma once
// Which items of a data set are used when not all are: a choice that depends on the seed and the
// items' number alone, so that two models are asked the same questions.

#include <cstdint>
#include <span>
#include <vector>

namespace edgelm::quality {

// `count` of the indices below n in an order drawn from the seed; all of them, in their own order,
// when count is 0 or not below n.
std::vector<std::size_t> sample(std::size_t n, std::size_t count, std::uint64_t seed);

// Stratified by size: the items sorted by `sizes` are cut into `strata` parts of equal number, and
// each part gives its share of `count`; in an order drawn from the seed.
std::vector<std::size_t> stratified_sample(std::span<const std::size_t> sizes, std::size_t count,
                                           std::size_t strata, std::uint64_t seed);

}  // namespace edgelm::quality
