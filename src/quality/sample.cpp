// Sorting by a counted random number is a shuffle that needs no state.

#include "quality/sample.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"

namespace edgelm::quality {
namespace {

void shuffle(std::span<std::size_t> indices, std::uint64_t seed) {
  std::sort(indices.begin(), indices.end(), [seed](std::size_t a, std::size_t b) {
    const std::uint64_t x = random_bits(seed, a);
    const std::uint64_t y = random_bits(seed, b);
    return x != y ? x < y : a < b;
  });
}

}  // namespace

std::vector<std::size_t> sample(std::size_t n, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> indices(n);
  std::iota(indices.begin(), indices.end(), std::size_t{0});
  if (count == 0 || count >= n) return indices;
  shuffle(indices, seed);
  indices.resize(count);
  return indices;
}

std::vector<std::size_t> stratified_sample(std::span<const std::size_t> sizes, std::size_t count,
                                           std::size_t strata, std::uint64_t seed) {
  const std::size_t n = sizes.size();
  if (count == 0 || count >= n) return sample(n, 0, seed);
  strata = std::clamp<std::size_t>(strata, 1, count);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return sizes[a] != sizes[b] ? sizes[a] < sizes[b] : a < b;
  });
  std::vector<std::size_t> chosen;
  chosen.reserve(count);
  for (std::size_t stratum = 0; stratum < strata; ++stratum) {
    const std::size_t begin = n * stratum / strata;
    const std::size_t end = n * (stratum + 1) / strata;
    // Shares differ by at most one, and add up to count.
    const std::size_t share = count * (stratum + 1) / strata - count * stratum / strata;
    const std::span part = std::span(order).subspan(begin, end - begin);
    shuffle(part, seed);
    chosen.insert(chosen.end(), part.begin(),
                  part.begin() + static_cast<std::ptrdiff_t>(std::min(share, part.size())));
  }
  shuffle(chosen, seed);
  return chosen;
}

}  // namespace edgelm::quality
