#pragma once
// Records to a report: the one entry that `edgelm report` and the tests call. The document can then
// be shown as text, Markdown or HTML; CSV and JSON lines come from rows and records directly.

#include <vector>

#include "report/document.h"
#include "report/rows.h"

namespace edgelm::report {

// `runs` are those of the store, for the notes on unfinished ones.
Document build(const Records& records, const std::vector<Run>& runs, const Options& options);

}  // namespace edgelm::report
