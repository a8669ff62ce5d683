#pragma once
// Two models on the same items: paired tests, which need far fewer items than comparing two
// intervals does. For `edgelm eval compare` on records of the same task and metric.

#include <vector>

#include "base/result.h"
#include "quality/record.h"
#include "quality/statistics.h"

namespace edgelm::quality {

struct Comparison {
  std::string task, metric;
  // What a and b are means of: the metric, but of perplexities the items are log-likelihoods.
  std::string quantity;
  std::uint64_t n = 0;         // items that both have
  std::uint64_t unpaired = 0;  // items that only one has
  double a = 0, b = 0;         // means over the common items
  // Of a and b, where the metric is one.
  Known<double> perplexity_a = not_available("not of this metric");
  Known<double> perplexity_b = not_available("not of this metric");
  stats::PairedDifference difference;  // b - a per item, 95 % by Student's t
  Interval bootstrap;                  // 95 %, of the same mean
  double p = 1;                        // of the difference: McNemar's mid-p, else Student's
  bool shares = false;                 // items are right or wrong
  McNemar mcnemar;                     // when they are
};

// kUsage when the records are not of one task and metric, or have no item in common.
Result<Comparison> compare(const Record& a, const Record& b);

// Pairs records by task and metric, and their items by id; kUsage with both lists when none fits.
Result<std::vector<Comparison>> compare_all(const std::vector<Record>& a,
                                            const std::vector<Record>& b);

}  // namespace edgelm::quality
