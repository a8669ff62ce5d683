// Ratios of samples, rank tests, Holm's adjustment and the verdict.

#include "stats/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "stats/bootstrap.h"
#include "stats/inference.h"
#include "stats/summary.h"

namespace edgelm::stats {
namespace {

constexpr std::size_t kExactLimit = 20;

bool usable(std::span<const double> samples) {
  return samples.size() >= 2 && std::all_of(samples.begin(), samples.end(),
                                            [](double v) { return std::isfinite(v) && v > 0; });
}

Ratio unknown() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {nan, nan, nan, 1};
}

// P(U <= u) for n and m samples without ties: counts of arrangements by the recurrence
// w(n, m, u) = w(n-1, m, u-m) + w(n, m-1, u), as shares, so that nothing overflows.
double exact_tail(std::size_t n, std::size_t m, std::size_t u) {
  // share[j][k]: probability of U = k with i samples of a and j of b.
  const std::size_t most = n * m;
  std::vector<std::vector<double>> share(m + 1, std::vector<double>(most + 1, 0.0));
  for (std::size_t j = 0; j <= m; ++j) share[j][0] = 1;  // i = 0: U is 0
  for (std::size_t i = 1; i <= n; ++i) {
    std::vector<std::vector<double>> next(m + 1, std::vector<double>(most + 1, 0.0));
    next[0][0] = 1;
    for (std::size_t j = 1; j <= m; ++j) {
      const double of_a = static_cast<double>(i) / static_cast<double>(i + j);
      for (std::size_t k = 0; k <= i * j; ++k) {
        // The largest sample is of a: it beats all j of b; or of b: it adds nothing.
        const double from_a = k >= j ? share[j][k - j] : 0;
        next[j][k] = of_a * from_a + (1 - of_a) * next[j - 1][k];
      }
    }
    share = std::move(next);
  }
  double sum = 0;
  for (std::size_t k = 0; k <= u && k <= most; ++k) sum += share[m][k];
  return sum;
}

}  // namespace

double mann_whitney(std::span<const double> a, std::span<const double> b) {
  const std::size_t n = a.size();
  const std::size_t m = b.size();
  if (n == 0 || m == 0) return 1;
  std::vector<std::pair<double, bool>> all;  // value, of a
  all.reserve(n + m);
  for (const double v : a) all.emplace_back(v, true);
  for (const double v : b) all.emplace_back(v, false);
  std::sort(all.begin(), all.end());
  double rank_sum = 0;
  double tie_sum = 0;  // of t^3 - t
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i;
    while (end < all.size() && all[end].first == all[i].first) ++end;
    const auto tied = static_cast<double>(end - i);
    const double rank = static_cast<double>(i + 1 + end) / 2;  // mean of i + 1 ... end
    for (std::size_t k = i; k < end; ++k) rank_sum += all[k].second ? rank : 0;
    tie_sum += tied * tied * tied - tied;
    i = end;
  }
  const auto na = static_cast<double>(n);
  const auto nb = static_cast<double>(m);
  const double u = rank_sum - na * (na + 1) / 2;
  const double smaller = std::min(u, na * nb - u);
  if (tie_sum == 0 && n <= kExactLimit && m <= kExactLimit)
    return std::min(1.0, 2 * exact_tail(n, m, static_cast<std::size_t>(smaller)));
  const double total = na + nb;
  const double variance = na * nb / 12 * (total + 1 - tie_sum / (total * (total - 1)));
  if (!(variance > 0)) return 1;  // all are equal
  const double z = std::max(0.0, na * nb / 2 - smaller - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::sqrt(2.0));
}

Ratio independent_ratio(std::span<const double> before, std::span<const double> after) {
  if (!usable(before) || !usable(after)) return unknown();
  const Interval interval = bootstrap_median_ratio(after, before);
  return {median(after) / median(before), interval.low, interval.high, mann_whitney(before, after)};
}

Ratio paired_ratio(std::span<const double> before, std::span<const double> after) {
  if (before.size() != after.size() || !usable(before) || !usable(after)) return unknown();
  std::vector<double> logs(before.size());
  std::transform(after.begin(), after.end(), before.begin(), logs.begin(),
                 [](double late, double early) { return std::log(late / early); });
  const Interval interval = bootstrap_median(logs);
  const auto less = static_cast<std::uint64_t>(
      std::count_if(logs.begin(), logs.end(), [](double v) { return v < 0; }));
  const auto more = static_cast<std::uint64_t>(
      std::count_if(logs.begin(), logs.end(), [](double v) { return v > 0; }));
  return {std::exp(median(logs)), std::exp(interval.low), std::exp(interval.high),
          sign_test(std::min(less, more), less + more)};
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double p = p_values[order[i]] * static_cast<double>(order.size() - i);
    largest = std::max(largest, std::min(1.0, p));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kNoChange:
      return "no change";
    case Verdict::kUndecided:
      return "undecided";
  }
  return "unknown";
}

Verdict judge(const Ratio& ratio, double adjusted_p, double threshold, bool higher_is_better) {
  constexpr double kLevel = 0.05;
  if (!std::isfinite(ratio.ratio) || !std::isfinite(ratio.low) || !std::isfinite(ratio.high))
    return Verdict::kUndecided;
  const bool rose = ratio.low > 1 && ratio.ratio > 1 + threshold;
  const bool fell = ratio.high < 1 && ratio.ratio < 1 - threshold;
  if ((rose || fell) && adjusted_p < kLevel)
    return rose == higher_is_better ? Verdict::kBetter : Verdict::kWorse;
  if (ratio.low >= 1 - threshold && ratio.high <= 1 + threshold) return Verdict::kNoChange;
  return Verdict::kUndecided;
}

}  // namespace edgelm::stats
