#pragma once
// Two sets of samples of one quantity, before and after: how large the ratio is, how sure that is,
// and what to call it. Used by `edgelm compare`. The bootstrap is that of bootstrap.h.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace edgelm::stats {

// after / before, with a 95 % interval and the probability of such a difference by chance.
struct Ratio {
  double ratio = 1;
  double low = 1, high = 1;
  double p_value = 1;
};

// Of independent samples: ratio of medians, bootstrap of both, Mann-Whitney's test. All samples
// must be positive and finite, and there must be two of each at least; otherwise all is NaN with
// p 1.
Ratio independent_ratio(std::span<const double> before, std::span<const double> after);

// Of pairs that were measured in alternation (blocks): median of the log-ratios, its bootstrap, the
// sign test. before and after have the same size.
Ratio paired_ratio(std::span<const double> before, std::span<const double> after);

// Two-sided p of the Mann-Whitney U test (Mann and Whitney 1947): exact when there are no ties and
// at most 20 samples on each side, otherwise the normal approximation with corrections for ties and
// continuity.
double mann_whitney(std::span<const double> a, std::span<const double> b);

// Holm's step-down adjustment (Holm 1979): p-values that hold for all tests together, in the order
// given.
std::vector<double> holm(std::span<const double> p_values);

enum class Verdict : std::uint8_t {
  kBetter,
  kWorse,
  kNoChange,   // the whole interval lies within the threshold
  kUndecided,  // the samples allow neither: measure more
};
std::string_view verdict_name(Verdict verdict);

// `threshold` is relative: 0.03. Better or worse: p (adjusted) below 0.05, the interval excludes 1,
// and the effect is beyond the threshold. A rise is better when `higher_is_better`.
Verdict judge(const Ratio& ratio, double adjusted_p, double threshold, bool higher_is_better);

}  // namespace edgelm::stats
