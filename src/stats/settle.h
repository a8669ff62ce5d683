#pragma once
// Tells when a warm-up may end: the last three rates lie within 3 % of each other. A fixed number
// of warm-up runs is too few for clocks that rise slowly and too many for a slow board.

#include <algorithm>
#include <array>
#include <cstddef>

namespace edgelm::stats {

class SettleDetector {
 public:
  static constexpr std::size_t kWindow = 3;
  static constexpr double kTolerance = 0.03;

  void add(double rate) { last_[count_++ % kWindow] = rate; }

  // The largest and the smallest of the last three differ by at most 3 % of the largest.
  [[nodiscard]] bool settled() const {
    if (count_ < kWindow) return false;
    const auto [low, high] = std::minmax_element(last_.begin(), last_.end());
    return *low > 0 && *high - *low <= kTolerance * *high;
  }
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  std::array<double, kWindow> last_{};
  std::size_t count_ = 0;
};

}  // namespace edgelm::stats
