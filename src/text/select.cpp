// One pass over the values against a rising threshold; blocks without a candidate are skipped with
// a vectorized comparison, so that the cost is that of reading the logits once.

#include "text/select.h"

#include <algorithm>
#include <limits>

namespace edgelm::text {
namespace {

constexpr std::size_t kBlock = 32;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

bool any_above(const float* block, float threshold) {
  unsigned above = 0;
  for (std::size_t j = 0; j < kBlock; ++j) above |= block[j] > threshold ? 1U : 0U;
  return above != 0;
}

// Keeps the k best of `ids` and returns the value of the last of them.
float keep_best(std::span<const float> values, std::size_t k, std::vector<std::uint32_t>& ids) {
  const auto better = [values](std::uint32_t a, std::uint32_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  };
  const auto last = ids.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(ids.begin(), last, ids.end(), better);
  ids.resize(k);
  return values[ids.back()];
}

}  // namespace

float largest(std::span<const float> values) {
  float lanes[kBlock];
  std::fill(std::begin(lanes), std::end(lanes), kMinusInfinity);
  std::size_t i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) {
    const float* block = values.data() + i;
    for (std::size_t j = 0; j < kBlock; ++j) lanes[j] = block[j] > lanes[j] ? block[j] : lanes[j];
  }
  float best = *std::max_element(std::begin(lanes), std::end(lanes));
  for (; i < values.size(); ++i) best = values[i] > best ? values[i] : best;
  return best;
}

std::uint32_t index_of(std::span<const float> values, float value) {
  const auto found = std::find(values.begin(), values.end(), value);
  return found == values.end() ? 0U : static_cast<std::uint32_t>(found - values.begin());
}

void select_top(std::span<const float> values, std::size_t k, std::vector<std::uint32_t>& ids) {
  ids.clear();
  if (k == 0) return;
  const std::size_t limit = std::min(values.size() + 1, select_top_capacity(k));
  float threshold = kMinusInfinity;
  std::size_t i = 0;
  const auto scan = [&](std::size_t end) {
    for (; i < end; ++i) {
      if (!(values[i] > threshold)) continue;
      ids.push_back(static_cast<std::uint32_t>(i));
      // Later equals of the k-th best have higher ids and lose, hence the strict comparison above.
      if (ids.size() == limit) threshold = keep_best(values, k, ids);
    }
  };
  while (i + kBlock <= values.size()) {
    if (any_above(values.data() + i, threshold)) {
      scan(i + kBlock);
    } else {
      i += kBlock;
    }
  }
  scan(values.size());
  if (ids.size() > k) keep_best(values, k, ids);
}

}  // namespace edgelm::text
