#pragma once
// Two sets of records side by side: pairs cells by device and settings, gives the ratio of each
// quantity with its interval, and calls it better, worse, unchanged or undecided. Used by `edgelm
// compare`, whose exit code is the verdict.

#include <set>
#include <string>
#include <vector>

#include "report/document.h"
#include "report/source.h"
#include "stats/compare.h"

namespace edgelm::report {

struct CompareOptions {
  double threshold = 0.03;  // relative: smaller changes are none
  // Settings that need not be equal: "device", "model", "type", "threads", "kv", "mode", "isa",
  // "engine", "batch".
  std::set<std::string> across = {};
};

// One quantity of one cell.
struct Difference {
  std::string cell = "";
  std::string quantity = "";
  std::string unit = "";
  double before = 0;  // medians
  double after = 0;
  std::size_t n_before = 0;
  std::size_t n_after = 0;
  stats::Ratio ratio = {};
  double adjusted_p = 1;  // Holm, over all tested quantities of the comparison
  bool tested = false;    // there were samples: otherwise the ratio is all there is
  bool higher_is_better = true;
  std::string method =
      "";  // "20 + 20 samples, Mann-Whitney", "6 pairs, sign test", "single figures"
  stats::Verdict verdict = stats::Verdict::kUndecided;
};

struct Comparison {
  std::string before, after;            // names
  std::vector<Difference> differences;  // in order of cells
  std::vector<std::string> unpaired;    // what has no counterpart, and why
  std::vector<std::string> left_out;    // records of either side that could not be read
  std::vector<std::string> notes;       // what differs in paired cells, scopes, throttling
  bool regression = false;              // something is worse beyond the threshold, or fails now
};

// With anything left out, no regression among the rest does not mean that there is none.
// kNotFound when nothing could be paired (the message says what each side has).
Result<Comparison> compare(const Loaded& before, const Loaded& after,
                           const CompareOptions& options);

Table comparison_table(const Comparison& comparison);
api::Json to_json(const Comparison& comparison);

// The names that `across` may hold.
const std::vector<std::string>& across_names();

}  // namespace edgelm::report
