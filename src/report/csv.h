#pragma once
// Every row of a report as CSV (RFC 4180), for spreadsheets and scripts: one line per cell and per
// evaluation, full precision. A column's name begins with where its figures come from
// ("measured.decode_tokens_per_s"); a figure that is absent is empty, and the last column says why.

#include <string>
#include <string_view>
#include <vector>

#include "report/rows.h"

namespace edgelm::report {

// One field: quoted where RFC 4180 wants it, printable, and never a formula to a spreadsheet.
std::string csv_field(std::string_view text);

std::string csv(const std::vector<Row>& rows, const std::vector<quality::Record>& evaluations,
                const Options& options);

}  // namespace edgelm::report
